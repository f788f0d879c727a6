package flowvec

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"pcapdir/analysis/logs"
	"pcapdir/sharder"
	"pcapdir/source/packet"
	"pcapdir/source/snap"
	"pcapdir/source/snap/snaptest"
)

// medley is one pane in which pairs of all kinds meet: silent and busy, of one flow and
// of many, jumbo packets, IPv6, several connections on a flow.
func medley(pane int, seed uint64) []packet.Packet {
	r := rand.New(rand.NewPCG(seed, uint64(pane)))
	out := traffic(1+r.IntN(1500), seed*100+uint64(pane))
	for i := range out {
		p := &out[i]
		p.Eff += packet.Time(pane) * minute
		switch r.IntN(4) {
		case 0: // a conversation of its own, or nearly
			p.Src = addr(100 + r.IntN(1+len(out)))
		case 1:
			p.Dst, p.IPLen = addr(20), uint32(r.IntN(70_000))
			p.PayLen = p.IPLen / 2
		case 2:
			p.Src[0], p.Dst[0], p.Flags = 0x20, 0x20, packet.IPv6
		}
	}
	return out
}

// connection is p's: some flows are several, some have none.
func connection(p *packet.Packet) (u logs.UID) {
	if p.Proto == 47 {
		return u
	}
	binary.BigEndian.PutUint64(u[4:], mix(p.Hash^uint64(p.Eff>>34), 0x9e3779b97f4a7c15))
	return u
}

// told is all that a window says of one conversation.
type told struct {
	conversation Conversation
	uids         []logs.UID
	directed     []Directed
}

type window struct {
	all      []told
	complete bool
}

func tell(w *Windows, length time.Duration) window {
	rows, complete := w.Window(length)
	all := make([]told, rows.Len())
	for i := range all {
		all[i].directed = rows.Directed(nil, i, &all[i].conversation)
		rows.read(i, &all[i].conversation, whole)
		all[i].conversation.pane = [2]side{}
		all[i].uids = rows.UIDs(i)
		slices.SortFunc(all[i].directed, func(a, b Directed) int { return a.Src.Compare(b.Src) })
	}
	slices.SortFunc(all, func(a, b told) int {
		return cmp.Or(a.conversation.lo.Compare(b.conversation.lo), a.conversation.hi.Compare(b.conversation.hi))
	})
	return window{all, complete}
}

// restart is when a process ends, and how many tables the next one has.
type restart struct{ pane, packet, tables int }

// process is what is saved and loaded.
type process struct {
	cfg    Config
	hasher sharder.Hasher
	tables []*Table
	w      *Windows
}

func newProcess(cfg Config, hasher sharder.Hasher) *process {
	p := &process{cfg: cfg, hasher: hasher, w: NewWindows(time.Minute, 3*time.Minute)}
	for range hasher.Shards {
		p.tables = append(p.tables, New(cfg))
	}
	return p
}

// again is p in another process with that many tables.
func (p *process) again(t testing.TB, tables int) *process {
	p.hasher.Shards = tables
	q := newProcess(p.cfg, p.hasher)
	for i := range p.tables {
		r := snaptest.Reader(snaptest.Written(t, p.tables[i].Save))
		if err := cmp.Or(LoadTable(r, q.tables, q.hasher.Route), r.End()); err != nil {
			t.Fatal(err)
		}
	}
	r := snaptest.Reader(snaptest.Written(t, p.w.Save))
	if err := cmp.Or(q.w.Load(r), r.End()); err != nil {
		t.Fatal(err)
	}
	for _, end := range p.w.Ends() {
		r := snaptest.Reader(snaptest.Written(t, func(w *snap.Writer) { p.w.SavePane(end, w) }))
		if err := cmp.Or(q.w.LoadPane(r), r.End()); err != nil {
			t.Fatal(err)
		}
	}
	return q
}

// play is what the windows say after each of 6 panes.
func play(t testing.TB, cfg Config, hasher sharder.Hasher, seed uint64, restarts ...restart) (all []window, lost Loss) {
	p := newProcess(cfg, hasher)
	for pane := range 6 {
		packets := medley(pane, seed)
		for i := range len(packets) + 1 {
			for _, s := range restarts {
				if s.pane == pane && s.packet%(len(packets)+1) == i {
					p = p.again(t, s.tables)
				}
			}
			if i < len(packets) {
				table := p.tables[p.hasher.Route(&packets[i])]
				table.Add(&packets[i], connection(&packets[i]))
			}
		}
		var parts []*Pane
		for _, table := range p.tables {
			parts = append(parts, table.ClosePane())
		}
		p.w.Push(packet.Time(pane+1)*minute, parts, pane%4 != 1)
		for _, length := range []time.Duration{time.Minute, 2 * time.Minute, 3 * time.Minute} {
			all = append(all, tell(p.w, length))
		}
	}
	return all, p.w.Lost()
}

// At whatever packet a process ends, and with however many tables the next one goes on:
// the same windows, also after a second time.
func TestRestartsDoNotShow(t *testing.T) {
	cfg := Config{Pane: time.Minute, Seed: 5}
	seeds := uint64(24)
	if testing.Short() {
		seeds = 6
	}
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 8))
		hasher := sharder.Hasher{Mode: sharder.Mode(seed % 3), Shards: 1 + r.IntN(4), Seed: seed}
		want, _ := play(t, cfg, hasher, seed)
		var restarts []restart
		for range 3 {
			restarts = append(restarts, restart{r.IntN(6), r.Int(), 1 + r.IntN(4)})
		}
		got, lost := play(t, cfg, hasher, seed, restarts...)
		if lost != (Loss{}) {
			t.Errorf("seed %d: lost %+v", seed, lost)
		}
		for i := range want {
			if !reflect.DeepEqual(got[i], want[i]) {
				t.Fatalf("seed %d, mode %d: %d tables, then %+v: other conversations in pane %d, window of %d panes", seed, hasher.Mode, hasher.Shards, restarts, i/3, i%3+1)
			}
		}
	}
}

// With as many tables as before not even full ones let a restart show, in what they
// keep or in what they count.
func TestRestartsOfFullTables(t *testing.T) {
	for seed := range uint64(3) {
		hasher := sharder.Hasher{Mode: sharder.Mode(seed % 3), Shards: 1 + int(seed)%3, Seed: seed}
		cfg := Config{Pane: time.Minute, Seed: 5, MaxPairs: 60}
		want, wantLost := play(t, cfg, hasher, seed)
		if wantLost.Pairs == 0 {
			t.Fatal("no table was full")
		}
		got, lost := play(t, cfg, hasher, seed, restart{1, 1 << 20, hasher.Shards}, restart{4, 99, hasher.Shards})
		if !reflect.DeepEqual(got, want) || lost != wantLost {
			t.Errorf("seed %d: a restart shows; lost %+v, want %+v", seed, lost, wantLost)
		}
		cfg.MaxFlows = 50
		for _, tables := range []int{0, 3} {
			_, lost := play(t, cfg, hasher, seed, restart{1, 1 << 20, 1 + tables}, restart{4, 99, 1})
			if lost.Pairs == 0 || lost.Flows == 0 {
				t.Errorf("seed %d: lost %+v", seed, lost)
			}
		}
	}
}

// saved is a table with all that there can be, a pane with recalled pairs, and their streams.
func saved(t testing.TB, packets []packet.Packet) (p *process, table, pane []byte) {
	p = newProcess(DefaultConfig(), sharder.Hasher{Mode: sharder.FiveTuple, Shards: 1})
	for n := range 3 {
		for i := range packets {
			p.tables[0].Add(&packets[i], logs.UID{byte(i), byte(n)})
			packets[i].Eff += minute
		}
		if n < 2 {
			p.w.Push(packet.Time(n+1)*minute, []*Pane{p.tables[0].ClosePane()}, true)
		}
	}
	return p, snaptest.Written(t, p.tables[0].Save), snaptest.Written(t, func(w *snap.Writer) { p.w.SavePane(2*minute, w) })
}

// load reads both streams, and uses what it got as far as it can be used.
func load(table, pane []byte) (errTable, errPane error) {
	p := newProcess(DefaultConfig(), sharder.Hasher{Mode: sharder.FiveTuple, Shards: 2})
	r := snaptest.Reader(table)
	errTable = cmp.Or(LoadTable(r, p.tables, p.hasher.Route), r.End())
	r = snaptest.Reader(pane)
	errPane = cmp.Or(p.w.LoadPane(r), r.End())
	if errTable != nil {
		p.tables = nil
	}
	if errPane != nil {
		p.w = NewWindows(time.Minute, 3*time.Minute)
	}
	var parts []*Pane
	for _, table := range p.tables {
		parts = append(parts, table.ClosePane())
	}
	p.w.Push(1<<62, parts, true)
	rows, _ := p.w.Window(3 * time.Minute)
	contextOf(rows, 3*time.Minute)
	tell(p.w, 3*time.Minute)
	return errTable, errPane
}

func TestStreamsCutShort(t *testing.T) {
	_, table, pane := saved(t, traffic(300, 1))
	if a, b := load(table, pane); a != nil || b != nil {
		t.Fatal(a, b)
	}
	for n := 0; n < len(table); n += 1 + n/50 {
		if err, _ := load(table[:n], pane); err == nil {
			t.Fatalf("%d of %d bytes of a table make one", n, len(table))
		}
	}
	for n := 0; n < len(pane); n += 1 + n/50 {
		if _, err := load(table, pane[:n]); err == nil {
			t.Fatalf("%d of %d bytes of a pane make one", n, len(pane))
		}
	}
}

// Whatever the damage, there is an error or something that can be used, never a panic.
func TestDamagedStreams(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	_, table, pane := saved(t, traffic(60, 1))
	for range 1000 {
		a, b := bytes.Clone(table), bytes.Clone(pane)
		for range 1 + r.IntN(3) {
			a[r.IntN(len(a))], b[r.IntN(len(b))] = byte(r.IntN(256)), byte(r.IntN(256))
		}
		load(a, b)
	}
}

func TestOtherConfigurationsAreRefused(t *testing.T) {
	_, table, pane := saved(t, traffic(300, 1))
	for _, cfg := range []Config{{Pane: 2 * time.Minute}, {Pane: time.Minute, Seed: 1}} {
		if err := LoadTable(snaptest.Reader(table), []*Table{New(cfg)}, oneTable); !errors.Is(err, ErrConfig) {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
	if err := LoadTable(snaptest.Reader(table), []*Table{New(Config{Pane: time.Minute, MaxPairs: 1000})}, oneTable); err != nil {
		t.Error("another bound:", err)
	}
	if err := NewWindows(2*time.Minute, 4*time.Minute).LoadPane(snaptest.Reader(pane)); !errors.Is(err, ErrConfig) {
		t.Error("a pane of another length:", err)
	}
}

func oneTable(*packet.Packet) int { return 0 }

// A table that was loaded must be one pane with others, and panes come in order.
func TestPanesThatDoNotFit(t *testing.T) {
	p, table, pane := saved(t, traffic(30, 1))
	other := []*Table{New(DefaultConfig())}
	q := hashed(packet.Packet{Eff: 9 * minute, Src: addr(1), Dst: addr(2)})
	other[0].Add(&q, logs.UID{})
	if err := LoadTable(snaptest.Reader(table), other, oneTable); err == nil {
		t.Error("tables of two panes make one")
	}
	if err := p.w.LoadPane(snaptest.Reader(pane)); err == nil {
		t.Error("a pane is there twice")
	}
	if want := []packet.Time{minute, 2 * minute}; !slices.Equal(p.w.Ends(), want) {
		t.Errorf("panes that end at %v, want %v", p.w.Ends(), want)
	}
}

// Saving changes nothing, and does not depend on who loads.
func TestSavedTableGoesOn(t *testing.T) {
	packets := traffic(20_000, 3)
	for i := range packets[:15_000] {
		packets[i].Dst = addr(1000 + i) // so many that they come in batches
	}
	p, table, _ := saved(t, packets)
	if again := snaptest.Written(t, p.tables[0].Save); len(again) != len(table) {
		t.Errorf("%d bytes, then %d", len(table), len(again))
	}
	fresh := []*Table{New(DefaultConfig())}
	if err := LoadTable(snaptest.Reader(table), fresh, oneTable); err != nil {
		t.Fatal(err)
	}
	want, _ := merged([]*Pane{p.tables[0].ClosePane()})
	got, _ := merged([]*Pane{fresh[0].ClosePane()})
	if !reflect.DeepEqual(got, want) {
		t.Error("a table that was loaded is another one")
	}
}

// million is a table of a million pairs: most say little, some are busy, some have
// several flows.
func million() *Table {
	const pairs = 1_000_000
	table := New(Config{Pane: time.Minute, MaxPairs: 2 * pairs})
	for i := range 2 * pairs {
		n := i % pairs
		p := hashed(packet.Packet{
			Eff: packet.Time(i) * 20_000, Src: addr(n), Dst: addr(1<<20 + n%97), SrcPort: uint16(n % 60000), DstPort: 443,
			Proto: packet.TCP, TCPFlags: packet.ACK, TTL: 64, IPLen: 80, PayLen: 40,
		})
		if n%4 == 0 {
			p.SrcPort += uint16(i / pairs)
		}
		for range 1 + n%8/7*7 {
			table.Add(&p, connection(&p))
		}
	}
	return table
}

// measure reports CPU seconds per run of do, and what it wrote or read.
func measure(b *testing.B, size int, do func()) {
	b.ReportAllocs()
	b.SetBytes(int64(size))
	begin := cpuSeconds()
	for b.Loop() {
		do()
	}
	b.ReportMetric((cpuSeconds()-begin)/float64(b.N), "cpu-s/op")
}

func BenchmarkSaveTable(b *testing.B) {
	table := million()
	size := len(snaptest.Written(b, table.Save))
	measure(b, size, func() {
		w := snap.NewWriter(io.Discard)
		table.Save(w)
		_ = w.Close()
	})
}

func BenchmarkLoadTable(b *testing.B) {
	table := million()
	text := snaptest.Written(b, table.Save)
	for _, tables := range []int{1, 4} {
		b.Run(fmt.Sprintf("tables=%d", tables), func(b *testing.B) {
			hasher := sharder.Hasher{Mode: sharder.FiveTuple, Shards: tables}
			measure(b, len(text), func() {
				var fresh []*Table
				for range tables {
					fresh = append(fresh, New(table.cfg))
				}
				if err := LoadTable(snaptest.Reader(text), fresh, hasher.Route); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

func BenchmarkPanes(b *testing.B) {
	w := NewWindows(time.Minute, 2*time.Minute)
	w.Push(minute, []*Pane{million().ClosePane()}, true)
	save := func(out *snap.Writer) { w.SavePane(minute, out) }
	text := snaptest.Written(b, save)
	b.Run("save", func(b *testing.B) {
		measure(b, len(text), func() {
			out := snap.NewWriter(io.Discard)
			save(out)
			_ = out.Close()
		})
	})
	b.Run("load", func(b *testing.B) {
		measure(b, len(text), func() {
			if err := NewWindows(time.Minute, 2*time.Minute).LoadPane(snaptest.Reader(text)); err != nil {
				b.Fatal(err)
			}
		})
	})
}

// A flow that several tables had parts of, which routes do not do unless addresses are
// odd, is one again where both come to one table; and so is all else.
func TestPartsOfOneFlowBecomeOne(t *testing.T) {
	for seed := range uint64(30) {
		var tables []*Table
		for range 5 {
			tables = append(tables, New(DefaultConfig()))
		}
		r := rand.New(rand.NewPCG(seed, 6))
		packets := medley(0, seed)
		for i := range packets {
			p := &packets[i]
			tables[0].Add(p, connection(p))
			tables[1+r.IntN(4)].Add(p, connection(p))
		}
		one := []*Table{New(DefaultConfig())}
		for _, table := range tables[1:] {
			if err := LoadTable(snaptest.Reader(snaptest.Written(t, table.Save)), one, oneTable); err != nil {
				t.Fatal(err)
			}
		}
		var got, want *Windows
		for w, table := range map[**Windows]*Table{&want: tables[0], &got: one[0]} {
			*w = NewWindows(time.Minute, time.Minute)
			(*w).Push(minute, []*Pane{table.ClosePane()}, true)
		}
		if !reflect.DeepEqual(tell(got, time.Minute), tell(want, time.Minute)) {
			t.Errorf("seed %d: the parts are not what one table has", seed)
		}
	}
}
