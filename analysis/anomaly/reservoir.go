package anomaly

import (
	"cmp"
	"math/bits"
	"slices"

	"pcapdir/analysis/flowvec"
	"pcapdir/source/packet"
)

// sample is one past vector.
type sample struct {
	hash    uint64      // of (conversation, end, seed): decides who stays
	end     packet.Time // of its window
	packets float64     // of the initiator: how much evidence it is
	service flowvec.Service
	vector  flowvec.Vector
}

// batch is what one window offers to the baseline.
type batch struct {
	end     packet.Time
	samples []*sample // by rising hash
}

// reservoir is a fair sample of past vectors: those with the lowest hashes. It
// depends on what was offered, not on the order. Windows that slide overlap, so
// a batch waits until its window lies wholly before the one to be scored: the
// model never sees what it scores.
type reservoir struct {
	most    int
	samples []*sample // by rising hash, up to room; each is memory of its own, so that none keeps others
	waiting []batch   // by rising end
	changed int       // samples that came or went since the owner last cleared it
}

func (r *reservoir) offer(b batch) { r.waiting = append(r.waiting, b) }

// chosen are the samples that count.
func (r *reservoir) chosen() []*sample { return r.samples[:min(len(r.samples), r.most)] }

// room is how many samples are held: an eighth more than count, which take the place of
// those that are forgotten. So as many come with low hashes as go, and what has a higher
// one than all that are held need not be offered.
func (r *reservoir) room() int { return r.most + r.most/8 }

// limit is the highest hash that is worth an offer.
func (r *reservoir) limit() uint64 {
	if len(r.samples) < r.most || len(r.samples) == 0 {
		return anyLot
	}
	return r.samples[len(r.samples)-1].hash
}

// admit takes in the batches of windows that ended by then, and forgets
// samples of windows that ended at oldest or before.
func (r *reservoir) admit(by, oldest packet.Time) {
	n := len(r.samples)
	r.samples = slices.DeleteFunc(r.samples, func(s *sample) bool { return s.end <= oldest })
	r.changed += n - len(r.samples)
	for len(r.waiting) > 0 && r.waiting[0].end <= by {
		if r.waiting[0].end > oldest {
			r.take(r.waiting[0].samples)
		}
		r.waiting = slices.Delete(r.waiting, 0, 1)
	}
}

// take merges in a sorted list and keeps as many as there is room for.
func (r *reservoir) take(b []*sample) {
	a := r.samples
	out := make([]*sample, 0, min(r.room(), len(a)+len(b)))
	for len(out) < cap(out) {
		if len(b) == 0 || len(a) > 0 && compareSamples(a[0], b[0]) <= 0 {
			out, a = append(out, a[0]), a[1:]
		} else {
			out, b = append(out, b[0]), b[1:]
			r.changed++
		}
	}
	r.changed += len(a)
	r.samples = out
}

func compareSamples(a, b *sample) int {
	return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.end, b.end))
}

// compareContents orders samples by what they say, not by whose they are: a model
// of the same samples is the same whatever the hosts are called.
func compareContents(a, b *sample) int {
	return cmp.Or(slices.Compare(a.vector[:], b.vector[:]), cmp.Compare(a.packets, b.packets), cmp.Compare(a.service, b.service))
}

// sampleHash draws a conversation's lot in one window.
func sampleHash(conversation uint64, end packet.Time, seed uint64) uint64 {
	hi, lo := bits.Mul64(conversation^0x2d358dccaa6c78a5, uint64(end)^seed*0x9e3779b97f4a7c15^0x8bb84b93962eacc9)
	hi, lo = bits.Mul64(hi^lo^0x4b33a62ed433d4a3, 0x4d5a2da51de1aa47)
	return hi ^ lo
}
