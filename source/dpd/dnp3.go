package dpd

import "pcapdir/source/packet"

// dnp3 is the start of a frame (IEEE 1815): its length counts five bytes at least.
func dnp3(b []byte, _ where) packet.App {
	if len(b) > 2 && b[0] == 5 && b[1] == 0x64 && b[2] >= 5 {
		return dnp3Frame
	}
	return packet.AppNone
}

// hearDNP3 confirms by the first words of a side.
func hearDNP3(_ *Speech, v *voice) {
	if v.first {
		v.confirm(v.app)
	}
}

func dnp3UDP(b []byte) packet.App {
	if dnp3(b, anywhere) != packet.AppNone {
		return dnp3Datagram
	}
	return packet.AppNone
}
