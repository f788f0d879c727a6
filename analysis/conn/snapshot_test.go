package conn_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pcapdir/analysis/conn"
	"pcapdir/analysis/logs"
	"pcapdir/sharder"
	"pcapdir/source/dpd"
	"pcapdir/source/links"
	"pcapdir/source/packet"
	"pcapdir/source/snap"
	"pcapdir/source/snap/snaptest"
)

// trip is a stream of packets for snapshots: those of talk, in other families of
// addresses, too, in and as tunnels, on links.
type trip struct {
	cfg    conn.Config
	hasher sharder.Hasher
	rng    *rand.Rand
	ps     []packet.Packet // Link is an index of places
}

// places are links. Their numbers are those of a table.
var places = []packet.Link{{}, {VLAN: 7}, {VLAN: 7, Inner: 8}, {Src: [6]byte{1}, Dst: [6]byte{2}}, {Src: [6]byte{2}, Dst: [6]byte{1}, VLAN: 9}}

func newTrip(seed uint64, n int) *trip {
	r := rand.New(rand.NewPCG(seed, 8))
	v := &trip{cfg: conn.DefaultConfig(), rng: r, hasher: sharder.Hasher{Mode: sharder.Mode(r.IntN(3)), Shards: 1, Seed: seed}}
	v.cfg.StampClock = r.IntN(4) == 0
	v.cfg.OpenInterval = [...]time.Duration{0, 7 * time.Second, 30 * time.Second, 10 * time.Minute}[r.IntN(4)]
	v.cfg.VLAN, v.cfg.MAC = r.IntN(2) == 0, r.IntN(2) == 0
	k := newTalk(seed)
	start, pace := k.now, [...]packet.Time{1, 10, 200}[r.IntN(3)]
	var outers []uint64
	for len(v.ps) < n {
		if r.IntN(200) == 0 {
			k.now = k.now.Add(13 * time.Hour * time.Duration(pace))
		}
		p := k.packet(0.1)
		at := start + (p.Eff-start)/pace
		p.Eff, p.TS = at, at+p.TS-p.Eff
		v.color(&p)
		if v.hasher.Route(&p); p.Flags&packet.Carrier != 0 {
			outers = append(outers, p.Hash)
		} else if len(outers) > 0 && r.IntN(5) == 0 {
			p.Outer, p.Depth, p.Link = outers[r.IntN(len(outers))], 1, 0
		}
		v.ps = append(v.ps, p)
		for range r.IntN(50) / 48 * 60 { // a history grows long
			p.Proto, p.SrcPort, p.DstPort, p.TCPFlags, p.Seq, p.PayLen = packet.TCP, 4000, 80, packet.RST, r.Uint32(), 0
			p.Flags &= packet.IPv6
			v.hasher.Route(&p)
			v.ps = append(v.ps, p)
		}
	}
	return v
}

// color gives p what talk's packets have not.
func (v *trip) color(p *packet.Packet) {
	r := v.rng
	switch r.IntN(4) {
	case 0:
		p.Flags |= packet.IPv6 // 4-in-6
	case 1:
		p.Flags |= packet.IPv6
		p.Src[0], p.Dst[0] = 0x20, 0x20
	}
	if p.Proto == packet.ICMP && p.Src[0] == 0x20 {
		p.Proto, p.SrcPort = packet.ICMPv6, [...]uint16{128, 129, 3}[r.IntN(3)]
	}
	if p.Proto == 132 && r.IntN(2) == 0 {
		p.Proto, p.Flags = 47, p.Flags|packet.Carrier
	}
	if p.Proto == packet.UDP && r.IntN(4) == 0 {
		p.Flags |= packet.Carrier
	}
	if payload := []byte(payloads[[...]string{"http", "reply", "query", "answer", "ssh"}[r.IntN(5)]]); p.Proto == packet.UDP {
		p.App = dpd.Datagram(payload, p.SrcPort, p.DstPort)
	} else if p.Proto == packet.TCP && p.PayLen > 0 {
		p.App = dpd.Stream(payload, p.SrcPort, p.DstPort)
	}
	p.Link = uint32(r.IntN(len(places)))
}

// crew are trackers, and what they found, a line each.
type crew struct {
	trackers []*conn.Tracker
	links    *links.Table
	found    *[]string
}

func (v *trip) crew(n int, found *[]string) *crew {
	c := &crew{links: links.New(v.cfg.MAC, links.Max), found: found}
	for range v.rng.IntN(3) { // numbers are others each time
		c.links.ID(packet.Link{Src: [6]byte{byte(v.rng.Uint32())}})
	}
	say := func(format string, args ...any) { *found = append(*found, fmt.Sprintf(format, args...)) }
	conns, opens := logs.ConnStream(), logs.OpenConnStream()
	for range n {
		var tr *conn.Tracker
		deps := conn.Deps{
			Emit: func(at packet.Time, r *logs.Conn) { say("conn %d %s %v", at, conns.Append(nil, r), tr.Parents()) },
			Open: func(at packet.Time, r *logs.Conn) { say("open %d %s %v", at, opens.Append(nil, r), tr.Parents()) },
			Weird: func(at packet.Time, name string, p *packet.Packet, uid logs.UID) {
				say("weird %d %s %d %x", at, name, p.Rec, uid)
			},
			Carrier: func(c conn.Carrier) { say("carrier %v", c) },
		}
		if v.cfg.VLAN || v.cfg.MAC {
			deps.Link, deps.LinkID = c.links.Link, c.links.ID
		}
		tr = conn.New(v.cfg, deps)
		c.trackers = append(c.trackers, tr)
	}
	v.hasher.Shards = n
	return c
}

func (c *crew) advance(end packet.Time) {
	for _, tr := range c.trackers {
		tr.Advance(end)
	}
}

func (v *trip) save(t testing.TB, c *crew) []byte {
	return snaptest.Written(t, func(w *snap.Writer) {
		for _, tr := range c.trackers {
			tr.Save(w)
		}
	})
}

// load takes up what so many trackers saved.
func (v *trip) load(c *crew, text []byte, saved int, now packet.Time) error {
	r := snaptest.Reader(text)
	for range saved {
		if err := conn.Load(r, c.trackers, now, v.hasher.Route); err != nil {
			return err
		}
	}
	return r.End()
}

// run plays all packets through n trackers, with a restart into another number of
// them before each packet that cut names. reached counts what was saved.
func (v *trip) run(t testing.TB, n int, cut map[int]int, reached map[string]int) []string {
	var found []string
	c := v.crew(n, &found)
	for i, p := range v.ps {
		if m, ok := cut[i]; ok {
			now := v.between(i)
			c.advance(now)
			for _, tr := range c.trackers {
				for what, n := range tr.Apart() {
					reached[what] += n
				}
			}
			text, saved := v.save(t, c), len(c.trackers)
			c = v.crew(m, &found)
			if err := v.load(c, text, saved, now); err != nil {
				t.Fatal(err)
			}
		}
		p.Link = c.links.ID(places[p.Link])
		n := v.hasher.Route(&p)
		if c.trackers[n].Handle(&p); p.Rec%16 == 0 {
			c.advance(p.Eff)
		}
	}
	for _, tr := range c.trackers {
		tr.Flush(v.ps[len(v.ps)-1].Eff)
	}
	slices.Sort(found)
	return found
}

// between is an instant behind the packet before i and not behind i: any, or one at
// which a connection is shown.
func (v *trip) between(i int) packet.Time {
	before, end := v.ps[i-1].Eff, v.ps[i].Eff
	if every := v.cfg.OpenInterval; every > 0 && v.rng.IntN(2) == 0 {
		at := v.ps[max(0, i-1-v.rng.IntN(10))].Eff
		if at += (before-at)/packet.Time(every)*packet.Time(every) + packet.Time(every); at <= end {
			return at
		}
	}
	return before + 1 + packet.Time(v.rng.Int64N(int64(end-before)))
}

// cuts are up to n places between two instants, and how many trackers go on there.
func (v *trip) cuts(n int) map[int]int {
	cut := map[int]int{}
	for range n {
		if i := 1 + v.rng.IntN(len(v.ps)-1); v.ps[i-1].Eff < v.ps[i].Eff {
			cut[i] = 1 + v.rng.IntN(4)
		}
	}
	return cut
}

// Restarts, into whatever number of shards, change nothing that anybody is told.
func TestRestartsChangeNothing(t *testing.T) {
	reached := map[string]int{}
	for seed := range uint64(60) {
		v := newTrip(seed, 1200)
		want := v.run(t, 1, nil, nil)
		for _, n := range []int{1, 4, 60} {
			cut := v.cuts(n)
			got := v.run(t, 1+v.rng.IntN(4), cut, reached)
			for i := range max(len(want), len(got)) {
				if i >= len(want) || i >= len(got) || want[i] != got[i] {
					t.Fatalf("seed %d, cut at %v: finding %d of %d, want %d, differs:\ngot  %s\nwant %s", seed, cut, i, len(got), len(want),
						strings.Join(got[i:min(i+1, len(got))], ""), strings.Join(want[i:min(i+1, len(want))], ""))
				}
			}
		}
	}
	for _, what := range []string{
		"ranges", "histories", "oddities", "oddities of TCP", "parents", "links", "tunnels", "instants",
		"one-way", "without ports", "turned round", "IPv4", "IPv6",
	} {
		if reached[what] < 100 {
			t.Errorf("%s: only %d were saved", what, reached[what])
		}
	}
}

// saved is a state that has some of everything, and the time of it.
func saved(t testing.TB) (*trip, []byte, packet.Time) {
	for seed := uint64(0); ; seed++ {
		v := newTrip(seed, 1200)
		v.cfg.VLAN, v.cfg.OpenInterval = true, time.Second
		var found []string
		c := v.crew(1, &found)
		for _, p := range v.ps {
			p.Link = c.links.ID(places[p.Link])
			c.trackers[0].Handle(&p)
		}
		now := v.ps[len(v.ps)-1].Eff + 1
		c.advance(now)
		have := c.trackers[0].Apart()
		if len(have) >= 11 && have["ranges"] > 0 && have["histories"] > 0 && have["oddities"] > 0 && have["parents"] > 0 && have["tunnels"] > 0 {
			return v, v.save(t, c), now
		}
	}
}

// What is cut short is an error, wherever the cut is; bytes that are others make no panic.
func TestDamagedSnapshots(t *testing.T) {
	v, text, now := saved(t)
	var found []string
	if err := v.load(v.crew(2, &found), text, 1, now); err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(text); n += 1 + v.rng.IntN(15) {
		if err := v.load(v.crew(2, &found), text[:n], 1, now); err == nil {
			t.Fatalf("cut behind %d of %d bytes, and nothing is said", n, len(text))
		}
		other := bytes.Clone(text)
		other[n] ^= 1 << v.rng.IntN(8)
		_ = v.load(v.crew(2, &found), other, 1, now)
	}
}

// A flow whose packets would not find it is not taken up.
func TestAnotherSeedIsRefused(t *testing.T) {
	v, text, now := saved(t)
	v.hasher.Seed++
	var found []string
	if err := v.load(v.crew(2, &found), text, 1, now); err == nil || !strings.Contains(err.Error(), "seed") {
		t.Errorf("the error is %v", err)
	}
}

// Tunnels are known again as long as they last, also where their number is bounded,
// and then forgotten.
func TestTunnelsOverRestarts(t *testing.T) {
	const tunnels = 2000
	v := &trip{cfg: conn.DefaultConfig(), rng: rand.New(rand.NewPCG(1, 1))}
	v.cfg.Memory = 4 << 20
	var found []string
	c := v.crew(1, &found)
	carry := func(at packet.Time) {
		for i := range tunnels {
			p := packet.Packet{Eff: at, TS: at, Proto: 47, Flags: packet.Carrier, Src: packet.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})}
			n := v.hasher.Route(&p)
			c.trackers[n].Handle(&p)
		}
	}
	now := scriptStart
	restart := func(pause time.Duration) {
		now = now.Add(pause)
		c.advance(now)
		text, saved := v.save(t, c), len(c.trackers)
		c = v.crew(2, &found)
		if err := v.load(c, text, saved, now); err != nil {
			t.Fatal(err)
		}
	}
	carry(now)
	for range 3 {
		restart(10 * time.Hour)
		carry(now)
	}
	if len(found) != tunnels {
		t.Errorf("%d tunnels were told of, want %d", len(found), tunnels)
	}
	restart(25 * time.Hour)
	for _, tr := range c.trackers {
		if n := tr.Apart()["tunnels"]; n > 0 {
			t.Errorf("%d tunnels are kept that are over", n)
		}
	}
}
