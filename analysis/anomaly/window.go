package anomaly

import (
	"math"
	"runtime"
	"slices"
	"sync"
	"time"

	"pcapdir/analysis/flowvec"
	"pcapdir/analysis/pages"
	"pcapdir/source/packet"
)

// window is one window while it is reported. Its memory serves one after another.
type window struct {
	end      packet.Time
	context  *flowvec.Context
	reader   *flowvec.Reader
	model    *model
	homes    []*home // of the window's services, by number
	scored   bool    // by a model of the past
	distance []float64
	cluster  []uint8
	alerted  []bool   // rows that must not be learned
	lots     []uint64 // of the rows; outside for those that do not stand for the window

	vector  flowvec.Vector // of the row last read by deviations
	z       row
	packets float64  // that it rests on
	sizes   []int    // of the clusters
	held    []bool   // rows not to learn
	counts  []uint32 // of actors, or crowds
}

func newWindow() *window {
	c := flowvec.NewContext()
	return &window{context: c, reader: c.Reader()}
}

// open takes in a window that is not scored yet.
func (win *window) open(end packet.Time, rows flowvec.Rows, length time.Duration, seed uint64) {
	win.context.Read(rows, length)
	n := win.context.Len()
	win.end = end
	win.distance, win.cluster, win.lots = pages.Sized(win.distance, n), pages.Sized(win.cluster, n), pages.Sized(win.lots, n)
	win.alerted = cleared(win.alerted, n)
	win.draw(seed)
}

func (win *window) len() int { return win.context.Len() }

// score finds every row's nearest centroid. Rows are independent, so how they
// are split over cores does not show. Where the search begins does not either:
// with the centroid of the last row much like this one, more often than not the
// right one.
func (win *window) score(m *model, past bool) {
	win.model, win.scored = m, past
	clear(win.homes) // it would keep old models
	win.homes = win.homes[:0]
	for n := range win.context.Services() {
		win.homes = append(win.homes, m.homeOf(win.context.ServiceAt(uint32(n))))
	}
	const grain = 2048
	blocks := make(chan int)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), win.len()/grain+1) {
		wg.Go(func() {
			from, last := win.context.Reader(), make([]uint8, guesses)
			for lo := range blocks {
				win.scoreRows(from, lo, min(lo+grain, win.len()), last)
			}
		})
	}
	for lo := 0; lo < win.len(); lo += grain {
		blocks <- lo
	}
	close(blocks)
	wg.Wait()
}

func (win *window) scoreRows(from *flowvec.Reader, lo, hi int, last []uint8) {
	const ahead = 64
	var v flowvec.Vector
	var z row
	for i := lo; i < hi; i++ {
		if i%ahead == 0 {
			from.Warm(i, min(i+ahead, hi))
		}
		win.read(from, i, &v, &z)
		guess := &last[likeness(&z)]
		c, squared := win.model.Nearest(z[:], int(*guess))
		*guess = uint8(c)
		win.cluster[i], win.distance[i] = uint8(c), math.Sqrt(squared)
	}
}

// guesses is how many kinds of rows likeness tells apart.
const guesses = 1 << 12

// likeness is the same for rows whose deviations are the same in steps of 2.
func likeness(z *row) uint64 {
	const step, bits, perWord = 2, 3, 21
	var words [(d + perWord - 1) / perWord]uint64
	for j, x := range z {
		words[j/perWord] |= uint64((x+clip)/step) << (j % perWord * bits)
	}
	h := words[0] * 0x9e3779b97f4a7c15
	for _, w := range words[1:] {
		h = (h ^ h>>32 ^ w) * 0xd6e8feb86659fd93
	}
	return h >> 32 % guesses
}

// read takes conversation i as a vector and as deviations. It is done anew each
// time: a million rows need not be held. It says how many packets it rests on.
func (win *window) read(from *flowvec.Reader, i int, v *flowvec.Vector, z *row) (packets float64) {
	packets = from.Vector(i, v)
	win.model.apply(v, packets, win.homes[win.context.ServiceNumber(i)], z)
	return packets
}

// guarded are the rows not to learn: the alerted, and the farthest share. Rows
// as far as the nearest of those go too, so that ties do not decide.
func (win *window) guarded(share float64) []bool {
	n := int(share * float64(win.len()))
	if !win.scored || n == 0 {
		return win.alerted
	}
	limit := win.farthest(n)
	win.held = append(win.held[:0], win.alerted...)
	for i, far := range win.distance {
		win.held[i] = win.held[i] || far >= limit
	}
	return win.held
}

// farthest is the n-th largest distance. Counting finds its bin; only what is
// in that is sorted.
func (win *window) farthest(n int) float64 {
	var bins [numBins]int
	for _, far := range win.distance {
		bins[binOf(far)]++
	}
	b := numBins - 1
	for ; bins[b] < n; b-- {
		n -= bins[b]
	}
	in := make([]float64, 0, bins[b])
	for _, far := range win.distance {
		if binOf(far) == b {
			in = append(in, far)
		}
	}
	slices.Sort(in)
	return in[len(in)-n]
}

func cleared[T any](s []T, n int) []T {
	s = pages.Sized(s, n)
	clear(s)
	return s
}
