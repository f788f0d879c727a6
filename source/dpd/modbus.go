package dpd

import "pcapdir/source/packet"

// modbus is a whole message: transaction, protocol 0, length of what follows, unit,
// function (Modbus Messaging on TCP/IP, section 3.1.3).
func modbus(b []byte, _ where) packet.App {
	if len(b) < 8 || be16(b, 2) != 0 {
		return packet.AppNone
	}
	if n := be16(b, 4); n < 2 || 6+n > len(b) {
		return packet.AppNone
	}
	return modbusMessage
}
