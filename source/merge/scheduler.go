package merge

import (
	"context"
	"slices"

	"pcapdir/source/packet"
)

// Entry is a file to be read when its turn comes.
type Entry struct {
	File uint64 // content id: part of the key of each of its packets
	// Source names where the file comes from: see Hold.
	Source string
	// First is a lower bound of the effective times in the file: its first
	// stamp, less the reorder window.
	First packet.Time
	// Resumed says that the file was open when state was saved that was restored
	// since: nothing is to come of it below First, but the floor and the watermark of
	// its run are those that it had.
	Resumed          bool
	Floor, Watermark packet.Time
	// Part says that the file has several entries. Once one of them is open, a drain
	// leaves none out: the file is read to its end.
	Part bool
	// Lifted, if there is one, is told the floor and the watermark of a file that
	// begins below what was handled already.
	Lifted func(floor, watermark packet.Time)
	// Start begins to read the file into w, and must not wait: it is called by
	// the scheduler, which nothing else opens files beside. Whoever reads calls
	// w.Close at the end, whatever happened.
	Start func(w *Writer)
}

type waiting struct {
	Entry
	source *sourceState
	lower  packet.Order // no key of the file is below
}

// place says where the run of w begins. What begins below safe, where shards may have
// handled everything, gets a floor just above it, and its packets below are late. Of a
// file that begins in time none is, whatever the disorder inside it.
func (w *waiting) place(safe, resumed packet.Order) {
	w.lower = packet.At(w.First)
	switch {
	case w.Resumed && safe == resumed:
		w.lower = w.lower.Max(safe)
	case w.lower.Less(safe):
		w.lower = packet.At(safe.Eff + 1)
		w.Floor, w.Watermark = w.lower.Eff, safe.Eff // also of one that is resumed, but came late
		if w.Lifted != nil {
			w.Lifted(w.Floor, w.Watermark)
		}
	case !w.Resumed:
		w.Floor, w.Watermark = w.lower.Eff, -packet.MaxTime
	}
}

// Admit adds files to those that wait, as one step: none of them is opened
// before all of them are known. A file that starts below what shards have
// already been allowed to handle gets a floor just above it, and its packets
// below are late (Run.Floor).
func (f *Frontier) Admit(entries ...Entry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sealed = f.sealed && len(entries) == 0
	for _, e := range entries {
		w := &waiting{Entry: e, source: f.source(e.Source)}
		w.place(f.safe, f.resumed)
		w.source.files++
		f.waiting = append(f.waiting, w)
	}
	slices.SortStableFunc(f.waiting, func(a, b *waiting) int { return a.lower.Compare(b.lower) })
	f.raise()
}

// CloseInput says that no file comes any more: what is waiting and open is all.
func (f *Frontier) CloseInput() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	f.raise()
}

// Schedule opens files when the merge needs them, until ctx ends. The number of
// open files is thus the depth of their overlap, not their number.
func (f *Frontier) Schedule(ctx context.Context) error {
	for {
		for start := f.openNext(); start != nil; start = f.openNext() {
			start()
		}
		select {
		case <-f.scheduler:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// openNext makes the run of the next waiting file if it is due, and returns
// what starts its reader.
func (f *Frontier) openNext() (start func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.due(f.least()) {
		return nil
	}
	w := f.waiting[0]
	r := newRun(f, w)
	// The run is listed before the bound rises past it (I5): both happen under
	// the lock, and raise comes last.
	f.open = append(f.open, r)
	f.list(append(slices.Clone(f.runs), r))
	f.waiting[0] = nil
	f.waiting = f.waiting[1:]
	if w.Part {
		f.begun[w.File] = true
	}
	f.raise()
	return func() { w.Start(newWriter(r)) }
}

// Drain ends the input early: files that wait are forgotten, as if they had
// never been admitted, and those of which something was read are read to their ends.
func (f *Frontier) Drain() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting = slices.DeleteFunc(f.waiting, func(w *waiting) bool { return !w.Resumed && !f.begun[w.File] })
	f.closed = true
	f.raise()
}
