package conn

import (
	"time"

	"pcapdir/source/packet"
)

// noTime is a deadline that never comes.
const noTime = packet.MaxTime

// after is d after t, or noTime where that is beyond all time. d is not negative.
func after(t packet.Time, d time.Duration) packet.Time {
	if t > noTime-packet.Time(d) {
		return noTime
	}
	return t.Add(d)
}

// idleClass is which inactivity timeout applies.
type idleClass uint8

const (
	idleOther idleClass = iota
	idleICMP
	idleUDP // also TCP during the handshake
	idleTCP
	idleLogin
	idleClasses
)

// clock is the time that idle times count from.
func (t *Tracker) clock(p *packet.Packet) packet.Time {
	if t.cfg.StampClock {
		return p.TS
	}
	return p.Eff
}

// active marks activity: the end of the duration, and what idle time counts from.
func (t *Tracker) active(f *flow, p *packet.Packet) { f.last, f.lastSeen = p.TS, t.clock(p) }

// deadline is when f ends if no packet of its own comes before.
func (t *Tracker) deadline(f *flow) packet.Time {
	d := after(f.lastSeen, t.timeout[f.idle])
	if f.proto == packet.TCP {
		return t.tcpDeadline(f, f.stream(), d)
	}
	if f.marks&markDNS != 0 {
		d = min(d, t.checkDNS(f))
	}
	return d
}

// checkDNS is when the check comes that ends f, unless a packet of its own comes before:
// one is due a DNSSession after the last one, and lets a flow go that is idle for a second
// less than that (DNS_Analyzer::ExpireTimer). Zeek's comes with the first packet from then
// on, of any connection: where all are silent it finds f idle for longer than it is here.
func (t *Tracker) checkDNS(f *flow) packet.Time {
	period := t.cfg.DNSSession
	idle := after(f.lastSeen, period-time.Second)
	if idle <= f.due {
		return f.due
	}
	return after(f.due, (idle.Sub(f.due)+period-1)/period*period)
}
