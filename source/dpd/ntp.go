package dpd

import "pcapdir/source/packet"

// ntp is a message of RFC 5905, or a short one of modes 6 and 7.
func ntp(b []byte) packet.App {
	switch mode := b[0] & 7; {
	case mode >= 6 && len(b) >= 4, mode > 0 && len(b) >= 48:
		return ntpMessage
	}
	return packet.AppNone
}
