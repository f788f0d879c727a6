package flowvec

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"reflect"
	"slices"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
)

const minute = packet.Time(time.Minute)

func addr(n int) packet.Addr {
	return packet.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})
}

// hashed sets p's symmetric hash.
func hashed(p packet.Packet) packet.Packet {
	end := func(a packet.Addr, port uint16) uint64 {
		hi, lo := a.Words()
		if p.Proto != packet.TCP && p.Proto != packet.UDP {
			port = 0
		}
		return mix(hi^lo^0x1234567, uint64(port)<<8^uint64(p.Proto)^0xabcdef0123456789)
	}
	p.Hash = mix(end(p.Src, p.SrcPort)+end(p.Dst, p.DstPort), 0x9e3779b97f4a7c15)
	return p
}

// traffic is n packets of one pane between few hosts: TCP, UDP and ICMP, many
// ties in time, some conversations of an address with itself.
func traffic(n int, seed uint64) []packet.Packet {
	r := rand.New(rand.NewPCG(seed, 2))
	out := make([]packet.Packet, n)
	at := packet.Time(0)
	for i := range out {
		if r.IntN(3) > 0 {
			at += packet.Time(r.Int64N(int64(2*time.Minute) / int64(n)))
		}
		p := packet.Packet{
			Eff: min(at, minute-1), Rank: r.Uint64() % 4, Src: addr(r.IntN(12)), Dst: addr(r.IntN(12)),
			SrcPort: uint16(r.IntN(3) + 1), DstPort: uint16(r.IntN(9) + 1), Proto: []uint8{6, 6, 17, 1, 58, 47}[r.IntN(6)],
			TTL: uint8(60 + r.IntN(5)), TCPFlags: packet.TCPFlags(r.IntN(256)),
			IPLen: uint32(40 + r.IntN(1400)), PayLen: uint32(r.IntN(2) * r.IntN(1400)),
		}
		p.TS = p.Eff + packet.Time(r.IntN(3))
		out[i] = hashed(p)
	}
	return out
}

func uidOf(p *packet.Packet) (u logs.UID) {
	binary.BigEndian.PutUint64(u[:], p.Hash^uint64(p.Eff>>34)) // some flows are several connections
	return u
}

func closed(packets []packet.Packet, shards int, part func(i int, p *packet.Packet) int) []*Pane {
	tables := make([]*Table, shards)
	for i := range tables {
		tables[i] = New(DefaultConfig())
	}
	for i := range packets {
		tables[part(i, &packets[i])].Add(&packets[i], uidOf(&packets[i]))
	}
	panes := make([]*Pane, shards)
	for i := range tables {
		panes[i] = tables[i].ClosePane()
	}
	return panes
}

// merged are the conversations of one pane.
func merged(parts []*Pane) ([]Conversation, Loss) {
	w := NewWindows(time.Minute, time.Minute)
	w.Push(minute, parts, true)
	return read(w, time.Minute), w.Lost()
}

// read are the conversations of the window that ends with the last pane.
func read(w *Windows, length time.Duration) []Conversation {
	rows, _ := w.Window(length)
	all := make([]Conversation, rows.Len())
	for i := range all {
		rows.read(i, &all[i], whole)
		all[i].pane = [2]side{} // what was left in it means nothing
	}
	slices.SortFunc(all, func(a, b Conversation) int { return cmp.Or(a.lo.Compare(b.lo), a.hi.Compare(b.hi)) })
	return all
}

// Any split of flows over shards, also one that parts a pair, merges to the same rows.
func TestPartsMergeToTheSameConversations(t *testing.T) {
	for seed := range uint64(20) {
		packets := traffic(3000, seed)
		want, _ := merged(closed(packets, 1, func(int, *packet.Packet) int { return 0 }))
		for _, shards := range []int{2, 7} {
			parts := closed(packets, shards, func(_ int, p *packet.Packet) int { return int((p.Hash ^ seed) % uint64(shards)) })
			rand.New(rand.NewPCG(seed, 3)).Shuffle(shards, func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
			got, lost := merged(append(parts, nil))
			if !reflect.DeepEqual(got, want) || lost != (Loss{}) {
				t.Fatalf("seed %d: %d shards give other conversations, lost %+v", seed, shards, lost)
			}
		}
	}
}

// What a table says must be what counting by hand says.
func TestTotalsAgainstCounting(t *testing.T) {
	packets := traffic(5000, 99)
	type side struct {
		n, bytes, pay, rst uint64
		flows              map[string]bool
		seconds            map[packet.Time]int
	}
	want := map[[2]packet.Addr]*side{}
	for i := range packets {
		p := &packets[i]
		key := [2]packet.Addr{p.Src, p.Dst}
		if want[key] == nil {
			want[key] = &side{flows: map[string]bool{}, seconds: map[packet.Time]int{}}
		}
		s := want[key]
		s.n, s.bytes, s.pay = s.n+1, s.bytes+uint64(p.IPLen), s.pay+uint64(p.PayLen)
		if p.Proto == packet.TCP && p.TCPFlags&packet.RST != 0 {
			s.rst++
		}
		ports := portsOf(p)
		if p.Src == p.Dst && ports[0] > ports[1] { // both directions of such a flow are one pair's
			ports[0], ports[1] = ports[1], ports[0]
			s.flows[fmt.Sprint(p.Proto, ports, "back")] = true
		} else {
			s.flows[fmt.Sprint(p.Proto, ports)] = true
		}
		s.seconds[p.Eff/packet.Time(time.Second)]++
	}
	rows, _ := merged(closed(packets, 3, func(_ int, p *packet.Packet) int { return int(p.Hash % 3) }))
	seen := 0
	for i := range rows {
		r := &rows[i]
		for d, key := range [][2]packet.Addr{{r.lo, r.hi}, {r.hi, r.lo}} {
			s, w := &r.sides[d], want[key]
			if s.n == 0 {
				continue
			}
			seen++
			peak := 0
			for _, c := range w.seconds {
				peak = max(peak, c)
			}
			if s.n != w.n || s.bytes != w.bytes || s.pay != w.pay || uint64(s.rst) != w.rst || int(s.flows) != len(w.flows) || int(s.peak) != peak {
				t.Errorf("%v: packets %d %d, bytes %d %d, payload %d %d, RST %d %d, flows %d %d, peak %d %d", key,
					s.n, w.n, s.bytes, w.bytes, s.pay, w.pay, s.rst, w.rst, s.flows, len(w.flows), s.peak, peak)
			}
		}
	}
	if seen != len(want) {
		t.Errorf("%d directed pairs came out, %d went in", seen, len(want))
	}
}

func TestClosePaneStartsAfresh(t *testing.T) {
	table := New(DefaultConfig())
	if table.ClosePane() != nil {
		t.Error("an empty table gives a pane")
	}
	packets := traffic(2000, 5)
	var panes []*Pane
	for range 2 {
		for i := range packets {
			table.Add(&packets[i], uidOf(&packets[i]))
		}
		if table.Len() == 0 {
			t.Error("Len is 0 with packets in the pane")
		}
		panes = append(panes, table.ClosePane())
	}
	if table.Len() != 0 {
		t.Errorf("Len is %d after the close", table.Len())
	}
	first, _ := merged(panes[:1])
	second, _ := merged(panes[1:])
	if !reflect.DeepEqual(first, second) {
		t.Error("the same packets give another pane the second time")
	}
}

// Bounds hold, what is dropped is counted, and who stays depends on neither
// order nor volume. Of those who stay nothing is missing.
func TestEvictionIsFairAndCounted(t *testing.T) {
	const pairs, block = 5000, 500
	packets := func(n int) int { return 1 + n%3*12 } // with 25, what lies beside the pair goes with it
	uids := map[int]map[packet.Addr][]logs.UID{}     // by bound
	run := func(most int, order []int) ([]Conversation, Loss) {
		table := New(Config{Pane: time.Minute, MaxPairs: most, MaxFlows: 1 << 16, Seed: 42})
		for some := range slices.Chunk(order, block) {
			for k := range packets(2) {
				for _, n := range some {
					if k >= packets(n) {
						continue
					}
					flow := uint16(k % 3)
					p := hashed(packet.Packet{Src: addr(n), Dst: addr(1 << 20), Proto: packet.TCP, SrcPort: 9 + flow, DstPort: 80, IPLen: 40})
					table.Add(&p, logs.UID{byte(n), byte(n >> 8), byte(flow + 1)})
				}
			}
			if table.Len() > most {
				t.Fatalf("%d pairs, the bound is %d", table.Len(), most)
			}
		}
		pane := table.ClosePane()
		uids[most] = map[packet.Addr][]logs.UID{}
		for place := range pane.pairs.n {
			q := pane.pairs.at(place + 1)
			for _, uid := range pane.connections(q) {
				uids[most][q.lo] = append(uids[most][q.lo], uid)
			}
		}
		return merged([]*Pane{pane})
	}
	order := rand.New(rand.NewPCG(1, 1)).Perm(pairs)
	all, _ := run(pairs+1, order)
	unbounded := map[packet.Addr]*Conversation{}
	total := uint64(0)
	for i := range all {
		unbounded[all[i].lo] = &all[i]
		total += all[i].sides[0].n + all[i].sides[1].n
	}
	const most = 600
	rows, lost := run(most, order)
	kept := uint64(0)
	for i := range rows {
		kept += rows[i].sides[0].n + rows[i].sides[1].n
		if !reflect.DeepEqual(&rows[i], unbounded[rows[i].lo]) {
			t.Fatalf("kept: %+v\nthe same without a bound: %+v", rows[i], unbounded[rows[i].lo])
		}
		if got, want := uids[most][rows[i].lo], uids[pairs+1][rows[i].lo]; !slices.Equal(got, want) {
			t.Fatalf("kept: connections %v, without a bound %v", got, want)
		}
	}
	if kept+lost.Packets != total || lost.Pairs == 0 || len(rows) < most/2 || lost.Flows > 0 {
		t.Errorf("%d packets kept in %d pairs and %+v lost, of %d", kept, len(rows), lost, total)
	}
	again, _ := run(most, rand.New(rand.NewPCG(2, 2)).Perm(pairs))
	if len(again) != len(rows) {
		t.Fatalf("another order keeps %d pairs, not %d", len(again), len(rows))
	}
	for i := range rows {
		if rows[i].lo != again[i].lo || rows[i].hi != again[i].hi {
			t.Fatalf("another order keeps other pairs")
		}
	}
}

// Conversations that all have the same rank, the lowest, push each other out as well.
func TestEvictionEnds(t *testing.T) {
	table := New(Config{Pane: time.Minute, MaxPairs: 10})
	table.ranks = seeds{} // addresses of zeros in their second half have no other rank then
	for n := range 100 {
		p := packet.Packet{Src: packet.Addr{0x20, 1, byte(n)}, Dst: packet.Addr{0x20, 2}, Flags: packet.IPv6, Proto: packet.UDP, IPLen: 60}
		table.Add(&p, logs.UID{})
	}
	if pane := table.ClosePane(); pane.pairs.n >= 10 || pane.Lost.Packets+uint64(pane.pairs.n) != 100 {
		t.Errorf("%d pairs, lost %+v", pane.pairs.n, pane.Lost)
	}
}

// Whoever does not know the seed cannot choose who stays.
func TestRanksDependOnTheSeed(t *testing.T) {
	lowest := map[int]bool{}
	for seed := range uint64(20) {
		ranks, least := Config{Seed: seed}.ranks(), 0
		rank := func(n int) uint64 {
			lo, hi := addr(n), addr(1<<20)
			return ranks.hash(&lo, &hi)
		}
		for n := range 1000 {
			if rank(n) < rank(least) {
				least = n
			}
		}
		lowest[least] = true
	}
	if len(lowest) < 18 {
		t.Errorf("20 seeds put %d conversations first", len(lowest))
	}
}

// Places that move are found from where the search for them begins, also where what
// collides reaches over the end of the index.
func TestIndexFindsWhatMoved(t *testing.T) {
	x := newIndex(maphash.MakeSeed())
	random := rand.New(rand.NewPCG(1, 1))
	hashes := make([]uint64, len(x.slots)/4*3)
	for i := range hashes {
		home := uint64(len(x.slots)-9+random.IntN(9)) + random.Uint64N(2)*random.Uint64N(40)
		hashes[i] = home<<(32+x.shift) | uint64(i)<<32 // no two alike
		x.put(x.free(hashes[i]), hashes[i], uint32(i+1))
	}
	moved, n := make([]uint32, len(hashes)), uint32(0)
	for i := range moved {
		if random.IntN(3) > 0 {
			n++
			moved[i] = n
		}
	}
	x.move(moved)
	if x.n != int(n) {
		t.Errorf("%d entries, want %d", x.n, n)
	}
	for i, hash := range hashes {
		at := x.home(hash)
		for *x.slot(at) != 0 && *x.slot(at)>>32 != hash>>32 {
			at++
		}
		if got := uint32(*x.slot(at)); got != moved[i] {
			t.Fatalf("place %d became %d, want %d", i+1, got, moved[i])
		}
	}
}

func TestFlowBoundKeepsTotals(t *testing.T) {
	table := New(Config{Pane: time.Minute, MaxFlows: 100})
	for port := range 1000 {
		p := hashed(packet.Packet{Src: addr(1), Dst: addr(2), Proto: packet.UDP, SrcPort: uint16(port), DstPort: 53, IPLen: 60})
		table.Add(&p, logs.UID{})
	}
	rows, lost := merged([]*Pane{table.ClosePane()})
	f, _ := rows[0].Totals()
	if f.Packets != 1000 || rows[0].sides[0].flows != 100 || lost.Flows != 900 || lost.Packets != 0 {
		t.Errorf("%d packets, %d flows, lost %+v", f.Packets, rows[0].sides[0].flows, lost)
	}
}

func TestAddAllocatesNothing(t *testing.T) {
	packets := traffic(2000, 1)
	table := New(DefaultConfig())
	batch := make([]*packet.Packet, len(packets))
	for i := range packets {
		batch[i] = &packets[i]
	}
	add := func() {
		table.Prefetch(batch)
		for i := range packets {
			table.Add(&packets[i], uidOf(&packets[i]))
		}
	}
	add()
	if n := testing.AllocsPerRun(20, add); n != 0 {
		t.Errorf("%v allocations in a pass over known pairs", n)
	}
}

// Times outside the pane, which only a caller's mistake can bring, stay inside the arrays.
func TestTimesOutsideThePane(t *testing.T) {
	table := New(DefaultConfig())
	for _, at := range []packet.Time{minute, minute + 5, -5, 0, packet.MaxTime, 40 * minute} {
		p := hashed(packet.Packet{Eff: at, Src: addr(1), Dst: addr(2), Proto: packet.UDP, IPLen: 60})
		table.Add(&p, logs.UID{})
	}
	rows, _ := merged([]*Pane{table.ClosePane()})
	if f, _ := rows[0].Totals(); f.Packets != 6 {
		t.Errorf("%d packets counted of 6", f.Packets)
	}
}

func BenchmarkAdd(b *testing.B) {
	for _, flows := range []int{100, 10_000, 1_000_000} {
		b.Run(fmt.Sprintf("flows=%d", flows), func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 1))
			packets := make([]packet.Packet, 1<<20)
			uids := make([]logs.UID, len(packets))
			for i := range packets {
				n := r.IntN(flows)
				p := packet.Packet{
					Eff: packet.Time(i * 50_000), Src: addr(n / 4), Dst: addr(1<<20 + n%97), Proto: packet.TCP,
					SrcPort: uint16(n % 60000), DstPort: 443, TCPFlags: packet.ACK, TTL: 64, IPLen: 80, PayLen: 40,
				}
				if r.IntN(2) == 0 {
					p.Src, p.Dst, p.SrcPort, p.DstPort = p.Dst, p.Src, p.DstPort, p.SrcPort
				}
				packets[i] = hashed(p)
				binary.BigEndian.PutUint64(uids[i][:], packets[i].Hash)
			}
			table := New(DefaultConfig())
			for i := range 3 * len(packets) { // every pair has its activity, every slab its size
				table.Add(&packets[i%len(packets)], uids[i%len(packets)])
			}
			batches := make([]*packet.Packet, len(packets))
			for i := range packets {
				batches[i] = &packets[i]
			}
			b.ReportAllocs()
			i := 0
			begin := cpuSeconds()
			for b.Loop() {
				if i%prefetchLen == 0 {
					table.Prefetch(batches[i : i+prefetchLen])
				}
				table.Add(&packets[i], uids[i])
				i = (i + 1) & (1<<20 - 1)
			}
			ns := (cpuSeconds() - begin) * 1e9 / float64(b.N)
			b.ReportMetric(ns, "ns/packet")
			b.ReportMetric(1e9/ns, "packets/s")
			b.ReportMetric(float64(table.Len()), "pairs")
		})
	}
}

// What a conversation takes is bounded, open and closed.
func TestSizes(t *testing.T) {
	for what, c := range map[string][2]uintptr{
		"pair": {unsafe.Sizeof(pair{}), 3 * 64}, "busy": {unsafe.Sizeof(busy{}), 320}, "flow": {unsafe.Sizeof(flow{}), 32},
		"ref": {unsafe.Sizeof(ref{}), 16}, "ends": {unsafe.Sizeof(ends{}), 20},
	} {
		if c[0] > c[1] {
			t.Errorf("%s is %d bytes, more than %d", what, c[0], c[1])
		}
	}
}

// cpuSeconds is the CPU time of the process.
func cpuSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
