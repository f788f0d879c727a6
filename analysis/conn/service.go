package conn

import (
	"pcapdir/source/dpd"
	"pcapdir/source/packet"
)

// application takes what a payload of f looks like.
func (t *Tracker) application(f *flow, role int, p *packet.Packet, at dpd.Place) {
	effect := t.ear.Hear(&f.speech, role, p.App, at)
	if effect == 0 {
		return
	}
	if effect&dpd.Unknown != 0 {
		t.addUnknown(f)
	}
	// What a packet says of the roles counts from the next one on: it itself counts
	// for the role that it had, as in Zeek.
	if effect&dpd.Flip != 0 && f.proto == packet.UDP && !multicast(&f.addr[resp]) {
		t.flip(f)
	}
	if effect&dpd.Login != 0 {
		f.idle = idleLogin
	}
}

// addUnknown notes, once, that a message was not followed.
func (t *Tracker) addUnknown(f *flow) {
	if f.marks&markUnknown == 0 {
		f.marks |= markUnknown
		t.addHistory(f, 'X')
	}
}

// multicast says whether an address, v4-mapped or IPv6, is one of a group.
func multicast(a *packet.Addr) bool { return a[0] == 0xff || a.Is4() && a[12]>>4 == 0xe }
