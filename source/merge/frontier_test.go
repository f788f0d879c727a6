package merge

import (
	"testing"

	"pcapdir/source/packet"
)

// step opens whatever is due, as the scheduler does, and returns the writers.
func step(f *Frontier) {
	for start := f.openNext(); start != nil; start = f.openNext() {
		start()
	}
}

func entry(file uint64, first packet.Time, opened *[]*Writer) Entry {
	return Entry{File: file, First: first, Start: func(w *Writer) { *opened = append(*opened, w) }}
}

func safeOf(f *Frontier) packet.Order { return f.view(0).safe }

func appendAt(t *testing.T, w *Writer, at packet.Time) {
	t.Helper()
	if !w.Append(0, &packet.Packet{Eff: at}) {
		t.Fatal("not appended")
	}
}

// Files are opened when the ones before them have reached their beginning, so
// the number of open files is the depth of the overlap.
func TestFilesAreOpenedWhenTheirTimeComes(t *testing.T) {
	f := NewFrontier(Config{Shards: 1, Batch: 1, Queue: 9})
	var opened []*Writer
	f.Admit(entry(3, 300, &opened), entry(1, 100, &opened), entry(2, 200, &opened))
	step(f)
	if len(opened) != 1 || opened[0].File != 1 {
		t.Fatalf("opened %d files at the start, want the first alone", len(opened))
	}
	appendAt(t, opened[0], 150)
	step(f)
	if len(opened) != 1 {
		t.Error("the second file was opened before the first reached it")
	}
	appendAt(t, opened[0], 250)
	step(f)
	if len(opened) != 2 || opened[1].File != 2 {
		t.Errorf("opened %d files at 250, want two", len(opened))
	}
	if got := safeOf(f); got != packet.At(200) {
		t.Errorf("safe is %v while the second file may begin at 200", got)
	}
}

// At rest event time stands just past the last packet. What starts below is
// late, and lifted above; what starts above is not.
func TestLateFilesGetAFloor(t *testing.T) {
	f := NewFrontier(Config{Shards: 1, Batch: 1, Queue: 9})
	var opened []*Writer
	f.Admit(entry(1, 100, &opened))
	step(f)
	appendAt(t, opened[0], 100)
	appendAt(t, opened[0], 180)
	opened[0].Close()
	rest, idle := f.Idle()
	if want := (packet.Order{Eff: 180, File: 1}).NextRecord(); !idle || rest != want || safeOf(f) != want {
		t.Fatalf("at rest: %v, idle %v, safe %v, want %v", rest, idle, safeOf(f), want)
	}
	f.Admit(entry(2, 120, &opened), entry(3, 500, &opened))
	step(f)
	late := opened[1]
	if late.Floor != 181 || late.Watermark != 180 {
		t.Errorf("late file: floor %d, watermark %d, want 181 and 180", late.Floor, late.Watermark)
	}
	late.Close()
	step(f)
	if w := opened[2]; w.Floor != 500 || w.Watermark != -packet.MaxTime {
		t.Errorf("file in time: floor %d, watermark %d, want its own beginning, and none", w.Floor, w.Watermark)
	}
}

// Idle time moves event time only while files do not, and never back.
func TestRest(t *testing.T) {
	f := NewFrontier(Config{Shards: 1, Batch: 1, Queue: 9})
	var opened []*Writer
	f.Admit(entry(1, 100, &opened))
	f.Rest(1000)
	step(f)
	f.Rest(1000)
	if got := safeOf(f); got != packet.At(100) {
		t.Errorf("safe is %v: idle time moved it past a file", got)
	}
	appendAt(t, opened[0], 150)
	opened[0].Close()
	f.Rest(400)
	f.Rest(300)
	if got := safeOf(f); got != packet.At(400) {
		t.Errorf("safe is %v, want 400", got)
	}
	f.Drain()
	if got := f.view(0).last; got != 400 {
		t.Errorf("the input ends at %d, behind where idle time was", got)
	}
}

// Draining forgets what waits, and ends when what is open has ended.
func TestDrain(t *testing.T) {
	f := NewFrontier(Config{Shards: 1, Batch: 1, Queue: 9})
	var opened []*Writer
	f.Admit(entry(1, 100, &opened), entry(2, 200, &opened))
	step(f)
	appendAt(t, opened[0], 150)
	f.Drain()
	appendAt(t, opened[0], 300)
	step(f)
	if len(opened) != 1 {
		t.Error("a file was opened while draining")
	}
	opened[0].Close()
	if got := safeOf(f); got != packet.MaxOrder || f.view(0).last != 300 {
		t.Errorf("safe is %v, last %d after draining", got, f.view(0).last)
	}
}

// An empty file ends like any other.
func TestAFileWithoutPackets(t *testing.T) {
	f := NewFrontier(Config{Shards: 2, Batch: 1, Queue: 9})
	var opened []*Writer
	f.Admit(entry(1, 100, &opened))
	f.CloseInput()
	step(f)
	opened[0].Publish()
	opened[0].Close()
	if got := safeOf(f); got != packet.MaxOrder {
		t.Errorf("safe is %v", got)
	}
}

// With no file at all the input ends, for the relay as for shards.
func TestNoFile(t *testing.T) {
	f := NewFrontier(Config{Shards: 1, Batch: 1, Queue: 9})
	r := NewRelay(t.Context(), f)
	f.CloseInput()
	if err := r.Wait(); err != nil || r.Load() != packet.MaxOrder || safeOf(f) != packet.MaxOrder {
		t.Errorf("the input has not ended: %v", err)
	}
}

// What the relay makes of the last record is handled at rest, all of it.
func TestRelayAtRest(t *testing.T) {
	f := NewFrontier(Config{Shards: 1, Batch: 1, Queue: 9})
	var opened []*Writer
	f.Admit(entry(1, 100, &opened))
	step(f)
	if !opened[0].Divert(&packet.Packet{Eff: 100}, []byte("data")) {
		t.Fatal("not diverted")
	}
	opened[0].Close()
	r := NewRelay(t.Context(), f)
	safe := r.Load()
	d, ok := r.Next()
	if !ok || d.File != 1 || d.Eff != 100 || string(d.Data) != "data" {
		t.Fatalf("%v %+v", ok, d)
	}
	for range 3 {
		r.Append(0, d.File, d.Packet)
	}
	r.Advance(safe)
	m := NewMerger(f, 0)
	m.Load()
	if got := m.Next(make([]*packet.Packet, 0, 9)); len(got) != 3 {
		t.Errorf("%d packets handled at rest", len(got))
	}
	if rest, idle := f.Idle(); !idle || safeOf(f) != rest {
		t.Errorf("safe is %v, rest %v", safeOf(f), rest)
	}
}
