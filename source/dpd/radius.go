package dpd

import "pcapdir/source/packet"

// radius has its own length in its header, and attributes of type, length and
// value behind it (RFC 2865).
func radius(b []byte) packet.App {
	const header = 20
	if len(b) < header {
		return packet.AppNone
	}
	n := be16(b, 2)
	if n < header || n > len(b) {
		return packet.AppNone
	}
	for b = b[header:n]; len(b) > 0; b = b[b[1]:] {
		if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
			return packet.AppNone
		}
	}
	return radiusMessage
}
