package conn

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
	"pcapdir/source/snap"
)

// mixed are the packets of real connections, a second apart, with so many packets
// of a flood between any two. TCP floods are SYNs, UDP floods single datagrams, each
// from another address to another port.
func mixed(conns, flood int, proto uint8, each func(p *packet.Packet)) {
	now := packet.Time(0)
	rnd := uint64(1)
	var list []packet.Packet
	collect := func(p packet.Packet) { list = append(list, p) }
	for i := range conns {
		conversation(i, collect)
	}
	step := packet.Time(time.Second) / packet.Time(flood+1)
	for i, p := range list {
		now = packet.Time(i) * packet.Time(time.Second)
		q := p
		q.Eff, q.TS = now, now
		each(&q)
		for range flood {
			now += step
			rnd = rnd*6364136223846793005 + 1442695040888963407
			each(&packet.Packet{
				Eff: now, TS: now, Hash: rnd ^ rnd>>29, Proto: proto, SrcPort: uint16(rnd >> 48), DstPort: uint16(rnd >> 32), TCPFlags: packet.SYN,
				Src: packet.AddrFrom4([4]byte{20, byte(rnd >> 40), byte(rnd >> 48), byte(rnd >> 56)}), Dst: packet.AddrFrom4([4]byte{192, 0, 2, 2}),
				Win: 100, IPLen: 40, UDPLen: 8,
			})
		}
	}
}

// conversation is a TCP connection with data both ways, not closed.
func conversation(i int, each func(p packet.Packet)) {
	p := packet.Packet{
		Hash: uint64(i+1) * 0xff51afd7ed558ccd >> 7, Proto: packet.TCP, SrcPort: 40000, DstPort: 6001, Win: 100, IPLen: 40,
		Src: packet.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), Dst: packet.AddrFrom4([4]byte{192, 0, 2, 1}),
	}
	q := p
	q.Src, q.Dst, q.SrcPort, q.DstPort = p.Dst, p.Src, p.DstPort, p.SrcPort
	p.Seq, p.TCPFlags = 100, packet.SYN
	q.Seq, q.Ack, q.TCPFlags = 900, 101, packet.SYN|packet.ACK
	each(p)
	each(q)
	p.Seq, p.Ack, p.TCPFlags, p.PayLen, p.CapLen = 101, 901, packet.ACK, 10, 10
	q.Seq, q.Ack, q.TCPFlags, q.PayLen, q.CapLen = 901, 111, packet.ACK, 20, 20
	each(p)
	each(q)
}

// track runs packets and returns the records of those from 10.0.0.0/8, and how many
// others there were and were evicted.
func track(memory int64, run func(each func(p *packet.Packet))) (real []string, others, evicted int, tr *Tracker) {
	cfg := DefaultConfig()
	cfg.Memory = memory
	stream := logs.ConnStream()
	tr = New(cfg, Deps{Emit: func(_ packet.Time, c *logs.Conn) {
		if c.Evicted {
			evicted++
		}
		if c.OrigH[12] != 10 {
			others++
			return
		}
		real = append(real, string(stream.Append(nil, c)))
	}})
	var last packet.Time
	run(func(p *packet.Packet) { tr.Handle(p); last = p.Eff })
	tr.Flush(last)
	slices.Sort(real)
	return real, others, evicted, tr
}

// A flood goes through the bound; the records of established connections are what
// they are without it, and every connection has one record.
func TestFloodsLeaveTheEstablished(t *testing.T) {
	const conns, flood, memory = 50, 2000, 4 << 20
	for name, proto := range map[string]uint8{"SYN": packet.TCP, "UDP": packet.UDP} {
		want, none, _, _ := track(0, func(each func(p *packet.Packet)) { mixed(conns, 0, proto, each) })
		made := 0
		real, others, evicted, tr := track(memory, func(each func(p *packet.Packet)) {
			mixed(conns, flood, proto, func(p *packet.Packet) { made++; each(p) })
		})
		if made -= conns * 4; !slices.Equal(real, want) || none != 0 {
			t.Errorf("%s: %d records of %d connections, or other ones", name, len(real), len(want))
		}
		if others != made || evicted == 0 || uint64(evicted) != tr.Evicted() {
			t.Errorf("%s: %d records of %d in the flood, %d say evicted, %d counted", name, others, made, evicted, tr.Evicted())
		}
		if kept := int(tr.flows.tcp.used)*(336+besides) + int(tr.flows.plain.used)*(208+besides); kept > memory {
			t.Errorf("%s: flows took %d bytes of %d", name, kept, memory)
		}
	}
}

// What a tracker of two million half-open connections takes stays within its bound.
func TestMemoryIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	const memory = 64 << 20
	before := inUse()
	_, others, evicted, tr := track(memory, func(each func(p *packet.Packet)) {
		mixed(1, 500_000, packet.TCP, each)
	})
	if took := inUse() - before; took > memory || others < 2_000_000 || evicted < 1_000_000 {
		t.Errorf("%d MiB for %d connections with %d evicted, want at most %d", took>>20, others, evicted, memory>>20)
	}
	runtime.KeepAlive(tr)
}

// Where all connections are established the one that was silent for longest goes.
func TestTheSilentGoFirst(t *testing.T) {
	cfg := DefaultConfig()
	cfg.TCPInactivity = time.Hour
	var gone [][]byte
	tr := New(cfg, Deps{Emit: func(_ packet.Time, c *logs.Conn) { gone = append(gone, bytes.Clone(c.OrigH[:])) }})
	tr.bounds.tcp.most = 16
	now := packet.Time(0)
	handle := func(p packet.Packet) { now += 1000; p.Eff, p.TS = now, now; tr.Handle(&p) }
	for i := range 16 {
		conversation(i, handle)
	}
	for i := range 16 {
		if i != 7 {
			conversation(i, func(p packet.Packet) {
				if p.TCPFlags == packet.ACK {
					handle(p)
				}
			})
		}
	}
	conversation(99, handle)
	if len(gone) != 1 || gone[0][15] != 7 || tr.Len() != 16 {
		t.Errorf("%d ended, %v; %d are open", len(gone), gone, tr.Len())
	}
}

// Ranges above holes are bounded over all connections: reassembly is given up.
func TestAllRangesAreBounded(t *testing.T) {
	oddities := map[string]int{}
	tr := New(DefaultConfig(), Deps{
		Emit:  func(packet.Time, *logs.Conn) {},
		Weird: func(_ packet.Time, name string, _ *packet.Packet, _ logs.UID) { oddities[name]++ },
	})
	tr.bounds.spans = 100
	now := packet.Time(0)
	for i := range 50 {
		conversation(i, func(p packet.Packet) { now += 1000; p.Eff, p.TS = now, now; tr.Handle(&p) })
		for hole := range 10 {
			conversation(i, func(p packet.Packet) {
				if now += 1000; p.TCPFlags == packet.ACK && p.PayLen == 10 {
					p.Eff, p.TS, p.Seq = now, now, p.Seq+uint32(100*(hole+1))
					tr.Handle(&p)
				}
			})
		}
	}
	if tr.spans.live() > 101 || oddities["excessive_holes"] != 40 {
		t.Errorf("%d ranges, %v", tr.spans.live(), oddities)
	}
}

// attempt is the i-th SYN of a flood.
func attempt(i int, now packet.Time) packet.Packet {
	h := uint64(i+1) * 0x9e3779b97f4a7c15
	return packet.Packet{
		Eff: now, TS: now, Hash: h ^ h>>29, Proto: packet.TCP, SrcPort: uint16(1024 + i%60000), DstPort: 80, TCPFlags: packet.SYN, Win: 100, IPLen: 40,
		Src: packet.AddrFrom4([4]byte{20, byte(i >> 16), byte(i >> 8), byte(i)}), Dst: packet.AddrFrom4([4]byte{192, 0, 2, 2}),
	}
}

// Established connections that were opened side by side survive, too.
func TestADenseTableSurvives(t *testing.T) {
	const established = 20_000
	cfg := DefaultConfig()
	cfg.Memory, cfg.TCPInactivity = 32<<20, time.Hour
	lost := 0
	tr := New(cfg, Deps{Emit: func(_ packet.Time, c *logs.Conn) {
		if c.Evicted && c.OrigH[12] == 10 {
			lost++
		}
	}})
	now := packet.Time(0)
	for i := range established {
		conversation(i, func(p packet.Packet) { now += 1000; p.Eff, p.TS = now, now; tr.Handle(&p) })
	}
	for i := range 500_000 {
		now += 1000
		p := attempt(i, now)
		tr.Handle(&p)
	}
	if lost > 0 || tr.Evicted() < 300_000 {
		t.Errorf("%d of %d established connections were lost, %d evicted in all", lost, established, tr.Evicted())
	}
}

// Where all connections are established, new ones live until they are, too, though
// those that say less go first.
func TestTheNewBecomeEstablished(t *testing.T) {
	const room, all, slow = 1000, 5000, 20 // so many others begin until the handshake goes on
	gone := map[uint64]int{}               // by packets of the originator
	tr := New(DefaultConfig(), Deps{Emit: func(_ packet.Time, c *logs.Conn) { gone[c.OrigPkts]++ }})
	tr.bounds.tcp.most = room
	now := packet.Time(0)
	var rest [][]packet.Packet
	for i := range all {
		var packets []packet.Packet
		conversation(i, func(p packet.Packet) { packets = append(packets, p) })
		rest = append(rest, packets[1:])
		due := packets[:1:1]
		if i >= slow {
			due = append(due, rest[i-slow]...)
		}
		for _, p := range due {
			now += 1000
			p.Eff, p.TS = now, now
			tr.Handle(&p)
		}
	}
	if tr.Len() != room || gone[1] > 0 || gone[2] != all-room {
		t.Errorf("%d are open; %d ended with two packets of the originator, %d with one, want %d and 0", tr.Len(), gone[2], gone[1], all-room)
	}
}

// A place is come back to until it has settled, and when it was given to another.
func TestVictimsAreWhatHasNotSettled(t *testing.T) {
	const used = 1000
	var v victims
	random := rand.New(rand.NewPCG(1, 1))
	settled := map[uint32]bool{0: true}
	for range 20_000 {
		if v.used < used && random.IntN(10) == 0 {
			v.cover(v.used + uint32(random.IntN(70)))
		}
		if v.used == 0 {
			continue
		}
		if place := random.Uint32N(v.used + 3); place > 0 {
			v.begin(place)
			delete(settled, place)
		}
		if v.unsettled == 0 {
			continue
		}
		hand := v.hand
		next := v.next()
		for want := hand + 1; ; want++ {
			if want %= v.used; !settled[want] {
				if next != want {
					t.Fatalf("from %d of %d on %d has not settled, got %d", hand, v.used, want, next)
				}
				break
			}
		}
		if random.IntN(2) == 0 {
			v.settle(next)
			settled[next] = true
		}
	}
	if v.used < used || v.unsettled != int(v.used)-len(settled) {
		t.Errorf("%d of %d have not settled, want %d", v.unsettled, v.used, int(v.used)-len(settled))
	}
}

// What is over anyway ends as it would have; records of one instant have uids of their own.
func TestEvictionsTellTheTruth(t *testing.T) {
	var ends []string
	uids := map[logs.UID]bool{}
	tr := New(DefaultConfig(), Deps{Emit: func(at packet.Time, c *logs.Conn) {
		ends = append(ends, fmt.Sprint(time.Duration(at), c.Evicted))
		uids[c.UID] = true
	}})
	tr.bounds.tcp.most = 1
	handle := func(i int, at time.Duration) {
		p := attempt(i, packet.Time(at))
		tr.Handle(&p)
	}
	handle(1, 500*time.Millisecond)
	handle(2, 5900*time.Millisecond)
	if want := []string{"5.5s false"}; !slices.Equal(ends, want) || tr.Evicted() != 0 {
		t.Errorf("%v, want %v; %d evicted", ends, want, tr.Evicted())
	}
	for _, i := range []int{3, 4, 3, 4, 3} {
		handle(i, 6*time.Second)
	}
	tr.Flush(packet.Time(7 * time.Second))
	if len(ends) != 7 || len(uids) != 7 {
		t.Errorf("%d records, %d uids: %v", len(ends), len(uids), ends)
	}
}

// Records of one instant have uids of their own, also where stamps lie so far behind that
// connections are over as they begin, and however many there are.
func TestEvictionsInOneInstant(t *testing.T) {
	cfg := DefaultConfig()
	cfg.StampClock = true
	records, uids := 0, map[logs.UID]bool{}
	tr := New(cfg, Deps{Emit: func(_ packet.Time, c *logs.Conn) { records++; uids[c.UID] = true }})
	tr.bounds.tcp.most = 1
	for i := range 200_000 {
		p := attempt(i%2, packet.Time(time.Hour))
		p.TS = 0
		tr.Handle(&p)
	}
	tr.Flush(packet.Time(time.Hour) + 1)
	if records != 200_000 || len(uids) != records {
		t.Errorf("%d records, %d uids", records, len(uids))
	}
}

// What is loaded of a tracker that had more room falls to the bound as it ends by itself
// or others begin, and what is established stays.
func TestLoadedBeyondTheBound(t *testing.T) {
	for _, c := range []struct{ attempts, established, most, lost int }{
		{30_000, 1500, 2000, 0}, {30_000, 1900, 4000, 0}, {8000, 1000, 2000, 0},
		{8000, 2000, 2000, 2000/probation + 1}, // new ones are left their part
	} {
		cfg := DefaultConfig()
		cfg.TCPInactivity = time.Hour
		lost := 0
		emit := func(_ packet.Time, c *logs.Conn) {
			if c.Evicted && c.OrigH[12] == 10 {
				lost++
			}
		}
		now := packet.Time(0)
		hashes := map[[2]packet.Addr]uint64{}
		handle := func(tr *Tracker, p packet.Packet) {
			now += 1000
			p.Eff, p.TS = now, now
			hashes[[2]packet.Addr{p.Src, p.Dst}] = p.Hash
			tr.Handle(&p)
		}
		before := New(cfg, Deps{Emit: emit})
		for i := range c.attempts {
			handle(before, attempt(i, 0))
			if n := c.established * i / c.attempts; n < c.established*(i+1)/c.attempts {
				conversation(n, func(p packet.Packet) { handle(before, p) })
			}
		}
		before.Advance(now)
		var state bytes.Buffer
		w := snap.NewWriter(&state)
		before.Save(w)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		tr := New(cfg, Deps{Emit: emit})
		tr.bounds.tcp.most = c.most
		err := Load(snap.NewReader(&state, int64(state.Len())), []*Tracker{tr}, now, func(p *packet.Packet) int {
			p.Hash = cmp.Or(hashes[[2]packet.Addr{p.Src, p.Dst}], hashes[[2]packet.Addr{p.Dst, p.Src}])
			return 0
		})
		if loaded := tr.Len(); err != nil || loaded != c.attempts+c.established {
			t.Fatalf("%d are loaded: %v", loaded, err)
		}
		now = now.Add(10 * time.Second) // attempts are over
		tr.Advance(now)
		most := 0
		for i := range 50_000 {
			handle(tr, attempt(1_000_000+i, 0))
			most = max(most, tr.Len())
		}
		if most > c.most || lost > c.lost {
			t.Errorf("%+v: %d are open, %d of the established are lost", c, most, lost)
		}
	}
}

// Both kinds of flows at once, histories of thousands of letters, and tunnels of
// thousands of hosts stay within the bound as well.
func TestEverythingIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	const memory = 24 << 20
	cfg := DefaultConfig()
	cfg.Memory = memory
	before := inUse()
	tr := New(cfg, Deps{Emit: func(packet.Time, *logs.Conn) {}})
	now := packet.Time(0)
	handle := func(i int, change func(p *packet.Packet)) {
		now += 100
		p := attempt(i, now)
		change(&p)
		tr.Handle(&p)
	}
	for i := range 200_000 {
		handle(i, func(*packet.Packet) {})
		handle(i, func(p *packet.Packet) { p.Proto, p.UDPLen = packet.UDP, 8 })
		handle(i, func(p *packet.Packet) { p.Proto, p.Flags = 47, packet.Carrier })
	}
	for n := range 400 {
		for i := range 2000 {
			handle(200_000-1-i, func(p *packet.Packet) { p.TCPFlags, p.Seq = packet.RST, uint32(1000+n*7) })
		}
	}
	if took := inUse() - before; took > memory {
		t.Errorf("%d KiB of %d: %d connections, %d pieces of histories, %d tunnels", took>>10, memory>>10, tr.Len(), tr.letters.live(), len(tr.plain))
	}
	runtime.KeepAlive(tr)
}
