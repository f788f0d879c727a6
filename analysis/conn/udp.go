package conn

import (
	"pcapdir/source/dpd"
	"pcapdir/source/packet"
)

// udpPacket takes one datagram. Its length is what the UDP header says, even
// where that is wrong: a length field of 0 counts as -8 octets, as in Zeek.
func (t *Tracker) udpPacket(f *flow, role int, p *packet.Packet) {
	if t.badChecksum(p) {
		t.weird("bad_UDP_checksum", f, p)
		t.addScaled(f, role, 'C', &t.odd(f).badChecksums[role])
		return
	}
	if uint32(p.UDPLen) != p.PayLen+udpHeader {
		t.weird("UDP_datagram_length_mismatch", f, p)
	}
	t.active(f, p)
	if seen := markData << role; f.marks&seen == 0 {
		f.marks |= seen
		t.addHistory(f, letter(role, 'D'))
	}
	if p.Flags&packet.TooDeep != 0 {
		t.addUnknown(f)
	}
	if f.marks&markDNS != 0 && f.speech.NotDNS() {
		f.marks &^= markDNS // as in Zeek the analyzer goes, with its timer, when the next datagram comes
		f.due = noTime
	}
	n := int64(p.UDPLen) - udpHeader
	var at dpd.Place
	if sent := f.bytes(); max(sent[orig], 0)+max(sent[resp], 0)+n > dpd.LongAfter {
		at = dpd.Long
	}
	t.application(f, role, p, at)
	f.addBytes(role, n)
	f.count(role, p)
}

const udpHeader = 8

// silent is the byte count of a side that sent nothing.
const silent = -1

// addBytes adds payload. A side that is silent, or whose sum is below zero, starts
// over: that is how Zeek tells inactive sides.
func (f *flow) addBytes(role int, n int64) {
	f.bytes()[role] = max(f.bytes()[role], 0) + n
}

// icmpPacket takes one ICMP or ICMPv6 message. One that the snapshot length cut
// short counts its bytes, but is not counted as a packet.
func (t *Tracker) icmpPacket(f *flow, role int, p *packet.Packet) {
	if t.badChecksum(p) {
		t.weird("bad_ICMP_checksum", f, p)
		return
	}
	t.active(f, p)
	f.addBytes(role, int64(p.PayLen))
	if p.CapLen >= p.PayLen {
		f.count(role, p)
	}
}

// otherPacket takes a packet of a transport that is only counted.
func (t *Tracker) otherPacket(f *flow, role int, p *packet.Packet) {
	t.active(f, p)
	f.count(role, p)
}
