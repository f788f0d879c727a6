package source

import (
	"bytes"
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"pcapdir/source/clock"
	"pcapdir/source/decompress"
	"pcapdir/source/merge"
	"pcapdir/source/packet"
	"pcapdir/source/pcapfile"
	"pcapdir/source/pcapfile/pcaptest"
)

// restless is a gate that closes every now and then, for a moment.
type restless struct {
	mu  sync.Mutex
	rnd *rand.Rand
}

func (r *restless) Closed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rnd.IntN(20) == 0
}

func (*restless) Wait(context.Context) error {
	time.Sleep(10 * time.Microsecond)
	return nil
}

// doubtful is a file whose stamps jump: wrong ones, clocks that were set,
// silence. Each record is a packet of its own content.
func doubtful(t *testing.T, r *rand.Rand, file byte) (stamps []packet.Time, text []byte) {
	t.Helper()
	at := packet.Unix(1_700_000_000+int64(r.IntN(20000)), 0)
	var recs []pcapfile.Record
	for i := range 1 + r.IntN(300) {
		at = at.Add(time.Duration(r.IntN(3)) * 10 * time.Millisecond)
		if r.IntN(60) == 0 {
			at = at.Add(time.Duration(r.IntN(5)-2) * 2 * time.Hour)
		}
		ts := at.Add(-time.Duration(r.IntN(2)) * 10 * time.Millisecond)
		if r.IntN(20) == 0 {
			ts = ts.Add(-time.Second) // beyond the window: for a scan a run begins here
		}
		if r.IntN(10) == 0 {
			ts = []packet.Time{0, packet.Unix(1<<32-1, 0), at.Add(2 * time.Hour), at.Add(-2 * time.Hour)}[r.IntN(4)]
		}
		data := make([]byte, 42)
		copy(data[12:], []byte{8, 0, 0x45, 0, 0, 28, file, byte(i), 0, 0, 64, packet.UDP, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2})
		recs = append(recs, pcapfile.Record{TS: ts, Wire: 42, LinkType: 1, Data: data})
		stamps = append(stamps, ts)
	}
	var b bytes.Buffer
	if err := pcaptest.WritePcap(&b, pcaptest.PcapOptions{}, recs); err != nil {
		t.Fatal(err)
	}
	return stamps, b.Bytes()
}

// While records are held back, and while a reader waits at a gate meanwhile,
// nothing of another file overtakes them: many files together give what each of
// them gives alone, in order. That their first stamps hold shows in the same way.
func TestHeldRecordsAreNotOvertaken(t *testing.T) {
	cfg := Config{Sort: true, Window: 20 * time.Millisecond, Latest: packet.Unix(1_800_000_000, 0), Buffer: 64}
	var suspect uint64
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 1))
		gate := &restless{rnd: rand.New(rand.NewPCG(seed, 2))}
		var entries []merge.Entry
		type placed struct {
			packet.Order
			packet.Packet
		}
		var all []placed
		for file := range uint64(4) {
			stamps, text := doubtful(t, r, byte(file))
			books, alone := readAll(t, cfg, text, plain)
			suspect += books.Suspect
			for _, p := range alone {
				all = append(all, placed{p.Order(file), p})
			}
			first := clock.First(stamps[:min(clock.Opening, len(stamps))], cfg.Latest).Add(-cfg.Lead())
			entries = append(entries, merge.Entry{File: file, First: first, Start: func(w *merge.Writer) {
				go NewReader(cfg, oneShard{}, gate, w).Read(t.Context(), bytes.NewReader(text), decompress.Plain)
			}})
		}
		slices.SortFunc(all, func(a, b placed) int { return a.Order.Compare(b.Order) })
		var want []packet.Packet
		for _, p := range all {
			want = append(want, p.Packet)
		}
		got := merged(t, entries...)
		if !slices.Equal(got, want) {
			at := 0
			for at < min(len(got), len(want)) && got[at] == want[at] {
				at++
			}
			t.Fatalf("seed %d: %d packets, want %d; packet %d differs:\ngot  %+v\nwant %+v", seed, len(got), len(want), at, got[at:min(at+1, len(got))], want[at:min(at+1, len(want))])
		}
	}
	if suspect < 1000 {
		t.Errorf("only %d suspect records", suspect)
	}
}
