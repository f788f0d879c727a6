package conn_test

import (
	"bytes"
	"cmp"
	"reflect"
	"slices"
	"testing"
	"time"

	"pcapdir/analysis/conn"
	"pcapdir/source/packet"
)

// sorted puts records in the order in which a log shows them.
func sorted(cs []closed) []closed {
	slices.SortFunc(cs, func(a, b closed) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.c.TS, b.c.TS), bytes.Compare(a.c.UID[:], b.c.UID[:]))
	})
	return cs
}

func wantSame(t *testing.T, what string, want, got []closed) {
	t.Helper()
	for i := range min(len(want), len(got)) {
		if !reflect.DeepEqual(want[i], got[i]) {
			t.Fatalf("%s: record %d differs:\nwant %d %+v\ngot  %d %+v", what, i, want[i].at, want[i].c, got[i].at, got[i].c)
		}
	}
	if len(want) != len(got) {
		t.Fatalf("%s: %d records, want %d", what, len(got), len(want))
	}
}

// A connection's record is a function of its own packets: neither other packets
// nor the number of Advance calls may change it.
func TestRecordsDependOnOwnPacketsOnly(t *testing.T) {
	for seed := range uint64(30) {
		for _, late := range []float64{0, 0.2} {
			for _, stamps := range []bool{false, true} {
				cfg := conn.DefaultConfig()
				cfg.StampClock = stamps
				checkOwnPacketsOnly(t, cfg, seed, late)
			}
		}
	}
}

func checkOwnPacketsOnly(t *testing.T, cfg conn.Config, seed uint64, late float64) {
	t.Helper()
	k := newTalk(seed)
	ps := make([]packet.Packet, 600)
	for i := range ps {
		ps[i] = k.packet(late)
	}
	last := ps[len(ps)-1].Eff
	run := func(ps []packet.Packet, before func(tr *conn.Tracker, from, to packet.Time)) []closed {
		tr, out := collect(cfg)
		from := ps[0].Eff
		for i := range ps {
			before(tr, from, ps[i].Eff)
			from = ps[i].Eff
			tr.Handle(&ps[i])
		}
		before(tr, from, last)
		tr.Flush(last)
		return sorted(*out)
	}
	never := func(*conn.Tracker, packet.Time, packet.Time) {}
	want := run(ps, never)
	for _, epoch := range []time.Duration{time.Millisecond, 70 * time.Millisecond, time.Second, time.Hour} {
		got := run(ps, func(tr *conn.Tracker, from, to packet.Time) { advance(tr, from, to, epoch) })
		wantSame(t, epoch.String(), want, got)
	}
	var apart []closed
	for _, own := range byEndpoints(ps) {
		apart = append(apart, run(own, never)...)
	}
	wantSame(t, "apart", want, sorted(apart))
}

// advance passes the epochs between two packets: all of the first and the last
// few, some of those between.
func advance(tr *conn.Tracker, from, to packet.Time, epoch time.Duration) {
	step := max(epoch, to.Sub(from)/200/epoch*epoch)
	for e := from.Floor(epoch).Add(step); e <= to; e = e.Add(step) {
		tr.Advance(e)
	}
	tr.Advance(to.Floor(epoch))
}

// byEndpoints splits packets so that no connection is split.
func byEndpoints(ps []packet.Packet) map[uint64][]packet.Packet {
	m := map[uint64][]packet.Packet{}
	for _, p := range ps {
		m[p.Hash] = append(m[p.Hash], p)
	}
	return m
}

// Prefetch is a hint: it changes nothing.
func TestPrefetchChangesNothing(t *testing.T) {
	k := newTalk(7)
	var ps []*packet.Packet
	for range 1000 {
		p := k.packet(0.1)
		ps = append(ps, &p)
	}
	last := ps[len(ps)-1].Eff
	plain, want := collect(conn.DefaultConfig())
	warm, got := collect(conn.DefaultConfig())
	for i, p := range ps {
		if i%300 == 0 {
			warm.Prefetch(ps[i:])
		}
		plain.Handle(p)
		warm.Handle(p)
	}
	plain.Flush(last)
	warm.Flush(last)
	wantSame(t, "prefetched", sorted(*want), sorted(*got))
}

// The placement hash decides where flows lie and nothing else.
func TestHashSeedChangesNothing(t *testing.T) {
	run := func(seed uint64) []closed {
		k := newTalk(3)
		tr, out := collect(conn.DefaultConfig())
		var last packet.Time
		for range 2000 {
			p := k.packet(0.1)
			p.Hash *= seed // 0: all in one run of the table
			tr.Handle(&p)
			last = p.Eff
		}
		tr.Flush(last)
		return sorted(*out)
	}
	want := run(1)
	for _, seed := range []uint64{0, 3, 0xfeedface} {
		wantSame(t, "other hash", want, run(seed))
	}
}

// Every packet handled is in one record, but for those that Zeek's rules leave
// out of the counters.
func TestBooksBalance(t *testing.T) {
	for seed := range uint64(20) {
		k := newTalk(seed)
		tr, out := collect(conn.DefaultConfig())
		var last packet.Time
		var pkts, ip, late uint64
		for range 2000 {
			p := k.packet(0.1)
			uid, ok := tr.Handle(&p)
			if !ok || uid == [12]byte{} {
				t.Fatal("a packet has no connection")
			}
			last = p.Eff
			if p.Flags&packet.Late != 0 {
				late++
			}
			cut := p.Proto == packet.ICMP && p.CapLen < p.PayLen
			bad := p.Flags&packet.BadChecksum != 0 && p.Proto != 132
			if !cut && !bad && p.Flags&packet.BadTCPHeader == 0 {
				pkts, ip = pkts+1, ip+uint64(p.IPLen)
			}
		}
		tr.Flush(last)
		for _, c := range *out {
			pkts -= c.c.OrigPkts + c.c.RespPkts
			ip -= c.c.OrigIP + c.c.RespIP
			late -= c.c.LatePkts
		}
		if pkts != 0 || ip != 0 || late != 0 || tr.Len() != 0 {
			t.Errorf("seed %d: %d packets, %d bytes, %d late packets, %d connections left over", seed, int64(pkts), int64(ip), int64(late), tr.Len())
		}
	}
}

func TestUIDsDiffer(t *testing.T) {
	for _, stamps := range []bool{false, true} {
		cfg := conn.DefaultConfig()
		cfg.StampClock = stamps
		k := newTalk(11)
		tr, out := collect(cfg)
		var last packet.Time
		for range 10000 {
			p := k.packet(0.1)
			p.TS = p.TS.Floor(time.Minute) // equal stamps: the replacement counter must tell them apart
			tr.Handle(&p)
			last = p.Eff
		}
		tr.Flush(last)
		seen := map[[12]byte]bool{}
		for _, c := range *out {
			if seen[c.c.UID] {
				t.Fatalf("uid %v twice", c.c.UID)
			}
			seen[c.c.UID] = true
		}
	}
}
