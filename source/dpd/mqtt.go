package dpd

import (
	"bytes"

	"pcapdir/source/packet"
)

// mqtt is a CONNECT: the protocol's name is behind the length (MQTT 3.1, 3.1.1 and
// 5), which has one to four bytes.
func mqtt(b []byte, _ where) packet.App {
	if b[0] == 0x10 && bytes.Contains(b[min(4, len(b)):min(9, len(b))], []byte("MQ")) {
		return mqttConnect
	}
	return packet.AppNone
}
