package anomaly

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pcapdir/analysis/flowvec"
	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
)

// What the reservoir holds depends on what was offered, not on how many at a time.
func TestReservoirKeepsTheLowest(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	res := reservoir{most: 50}
	var all []uint64
	for end := packet.Time(1); end <= 20; end++ {
		b := batch{end: end}
		for range r.IntN(30) {
			b.samples = append(b.samples, &sample{hash: r.Uint64(), end: end})
		}
		slices.SortFunc(b.samples, compareSamples)
		for _, s := range b.samples {
			all = append(all, s.hash)
		}
		res.offer(b)
	}
	res.admit(20, 0)
	slices.Sort(all)
	for i, s := range res.samples {
		if s.hash != all[i] {
			t.Fatalf("sample %d has hash %x, want %x", i, s.hash, all[i])
		}
	}
	if len(res.chosen()) != 50 {
		t.Errorf("%d samples, want 50", len(res.chosen()))
	}
}

// What lies above the limit would not have stayed: to leave it out changes nothing.
func TestReservoirLimit(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	all, some := reservoir{most: 50}, reservoir{most: 50}
	left := 0
	for end := packet.Time(1); end <= 300; end++ {
		whole, worth := batch{end: end}, batch{end: end}
		limit := some.limit()
		for range r.IntN(30) {
			s := &sample{hash: r.Uint64(), end: end}
			whole.samples = append(whole.samples, s)
			if s.hash <= limit {
				worth.samples = append(worth.samples, s)
			} else {
				left++
			}
		}
		slices.SortFunc(whole.samples, compareSamples)
		slices.SortFunc(worth.samples, compareSamples)
		all.offer(whole)
		some.offer(worth)
		all.admit(end-3, end-100) // from the hundredth on samples are forgotten
		some.admit(end-3, end-100)
	}
	if !slices.Equal(all.chosen(), some.chosen()) {
		t.Error("what is kept differs")
	}
	if left < 1000 {
		t.Errorf("only %d were left out", left)
	}
}

// A model goes on while little of what it was fitted to has changed.
func TestModelIsDue(t *testing.T) {
	for _, c := range []struct {
		changed int // of 100
		age     time.Duration
		want    bool
	}{
		{0, 24 * time.Hour, false},
		{1, 59 * time.Minute, false}, {1, time.Hour, true},
		{5, 59 * time.Minute, false}, {6, 4 * time.Minute, false}, {6, 5 * time.Minute, true},
		{25, time.Minute, false}, {26, time.Minute, true},
	} {
		w := watch{state: state{baseline: reservoir{most: 100, samples: make([]*sample, 100), changed: c.changed}, past: true}}
		if got := w.due(&window{end: packet.Time(c.age)}); got != c.want {
			t.Errorf("%d %% changed in %v: due %v, want %v", c.changed, c.age, got, c.want)
		}
	}
}

func TestReservoirWaitsAndForgets(t *testing.T) {
	res := reservoir{most: 10}
	for end := packet.Time(1); end <= 6; end++ {
		res.offer(batch{end, []*sample{{hash: uint64(end), end: end}}})
	}
	for _, c := range []struct {
		by, oldest packet.Time
		want       int
	}{{0, -9, 0}, {2, -9, 2}, {5, -9, 5}, {5, 3, 2}, {6, 4, 2}, {9, 9, 0}} {
		res.admit(c.by, c.oldest)
		if len(res.samples) != c.want {
			t.Errorf("ended by %d, after %d: %d samples, want %d", c.by, c.oldest, len(res.samples), c.want)
		}
	}
}

func TestHistory(t *testing.T) {
	var h history
	hour := packet.Time(time.Hour)
	for i := range 100 {
		h.at(hour * packet.Time(i/50))[binOf(float64(i)/10)]++
	}
	tail := h.tail()
	if tail[0] != 100 || tail[binOf(5)] != 50 {
		t.Errorf("%d in all, %d from 5 up", tail[0], tail[binOf(5)])
	}
	if p := scoreP(&tail, 60); math.Abs(p-math.Log10(101)) > 1e-9 {
		t.Errorf("beyond all: %v", p)
	}
	if p := scoreP(&tail, 0); p != 0 {
		t.Errorf("within all: %v", p)
	}
	if limit := atMost(&tail, 10); limit < 8.9 || limit > 9.2 {
		t.Errorf("ten of a hundred are above %v", limit)
	}
	if limit := atMost(&tail, 1000); limit != 0 {
		t.Errorf("a budget that nothing exceeds has threshold %v", limit)
	}
	h.forget(hour)
	if tail = h.tail(); tail[0] != 50 {
		t.Errorf("after an hour went: %d", tail[0])
	}
	if binOf(-1) != 0 || binOf(1e9) != numBins-1 || numBins < 2*clip*math.Sqrt(d)*binsPerUnit {
		t.Error("bins do not hold every distance")
	}
}

// The same alert within the hour has no line; how often it came is said when it
// is over: after the hour, or when it has grown.
func TestMutes(t *testing.T) {
	cfg := DefaultConfig()
	m := mutes{}
	key, other := mute{service: 1}, mute{service: 2}
	minute := packet.Time(time.Minute)
	alert := func(key mute, far float64, at packet.Time) (held bool, ends []logs.Anomaly) {
		ends = m.ended(at, at.Add(-cfg.Mute))
		if m.hold(key, far, at.Seconds(), &cfg) {
			return true, ends
		}
		return false, m.say(ends, key, said{at: at, line: logs.Anomaly{TS: at.Seconds(), Rank: 1, Score: far}}, &cfg)
	}
	for i, c := range []struct {
		key  mute
		far  float64
		at   packet.Time
		held bool
		ends []logs.Repeats
	}{
		{key, 10, 0, false, nil}, {key, 10, minute, true, nil}, {other, 10, minute, false, nil}, {key, 12.4, 2 * minute, true, nil},
		{key, 12.5, 3 * minute, false, []logs.Repeats{{Began: 0, N: 2, Until: 120}}},
		{key, 13, 62 * minute, true, nil}, // other is over, and never came again
		{key, 13, 63 * minute, false, []logs.Repeats{{Began: 180, N: 1, Until: 3720}}},
	} {
		held, ends := alert(c.key, c.far, c.at)
		if held != c.held || len(ends) != len(c.ends) {
			t.Fatalf("step %d: held back %v, ends %+v", i, held, ends)
		}
		for n, e := range ends {
			if *e.Repeats != c.ends[n] || e.TS != c.at.Seconds() || e.Rank != 0 || e.Label != logs.LabelEnded {
				t.Errorf("step %d: end %+v with %+v, want %+v", i, e, *e.Repeats, c.ends[n])
			}
		}
	}
	alert(key, 13, 64*minute)
	if ends := m.ended(70*minute, 70*minute); len(ends) != 1 || len(m) != 0 {
		t.Errorf("at the end of input: %+v, %d left", ends, len(m))
	}
	cfg.Mute = 0
	for at := range packet.Time(2) {
		if held, ends := alert(key, 1, at); held || len(ends) != 0 || len(m) != 0 {
			t.Error("muting cannot be switched off")
		}
	}
}

func randomSamples(n int) []*sample {
	r := rand.New(rand.NewPCG(6, 6))
	out := make([]*sample, n)
	for i := range out {
		out[i] = new(sample)
		out[i].packets, out[i].service = float64(r.IntN(50)), flowvec.Service(r.IntN(8))
		for j := range d {
			out[i].vector[j] = r.ExpFloat64() * float64(1+int(out[i].service))
		}
	}
	return out
}

// A deviation turned back into natural units is the number that it came from,
// where neither shrinking nor clipping changed it.
func TestNaturalUndoesApply(t *testing.T) {
	samples := randomSamples(600)
	s := newScale(samples)
	for _, p := range samples[:50] {
		var z row
		s.apply(&p.vector, 1e12, s.homeOf(p.service), &z)
		for j := range d {
			if math.Abs(z[j]) >= clip {
				continue
			}
			want := features[j].Natural(p.vector[j])
			if got := s.natural(j, z[j], p.service); math.Abs(got-want) > 1e-5*(1+math.Abs(want)) {
				t.Fatalf("%s: %v became %v", features[j].Name, want, got)
			}
		}
	}
}

// Constant columns, single samples and no samples scale without NaN.
func TestScaleOfLittle(t *testing.T) {
	for _, n := range []int{0, 1, 2, 5, 40} {
		s := newScale(slices.Repeat([]*sample{{}}, n))
		var z row
		v := flowvec.Vector{}
		for j := range v {
			v[j] = 1e300
		}
		s.apply(&v, 0, s.homeOf(7), &z)
		for j := range z {
			if math.IsNaN(z[j]) || math.Abs(z[j]) > clip {
				t.Errorf("%d samples: %s deviates by %v", n, features[j].Name, z[j])
			}
		}
	}
}

// A cluster keeps its name while its centroid goes on, and no name comes twice.
func TestClusterNamesGoOn(t *testing.T) {
	cfg := DefaultConfig()
	var names namer
	samples := randomSamples(300)
	first := newModel(&cfg, samples[:120], nil, &names)
	second := newModel(&cfg, samples, first, &names)
	if first.K() != 24 || second.K() != 60 || !slices.Equal(second.names[:24], first.names) {
		t.Errorf("names %v, then %v", first.names, second.names)
	}
	seen := slices.Clone(second.names)
	slices.Sort(seen)
	if len(slices.Compact(seen)) != second.K() {
		t.Errorf("names repeat: %v", second.names)
	}
	if again := newModel(&cfg, samples, second, &names); again.drift > second.drift || again.digest == first.digest {
		t.Errorf("drift %v with the same samples, %v with others", again.drift, second.drift)
	}
}

// Quantiles by selection are those of sorted numbers.
func TestQuantiles(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for n := range 300 {
		xs := make([]float64, n)
		for i := range xs {
			xs[i] = float64(r.IntN(1 + n/3*(n%3)))
		}
		want := slices.Clone(xs)
		slices.Sort(want)
		for _, q := range []float64{.5, .95, .05, .999, 0, 1} {
			at := q * float64(n-1)
			is, lo := quantile(xs, q), int(at)
			if n == 0 {
				continue
			}
			if hi := min(lo+1, n-1); math.Abs(is-(want[lo]+(at-float64(lo))*(want[hi]-want[lo]))) > 1e-12*float64(n) {
				t.Fatalf("%v of %v is %v", q, want, is)
			}
		}
	}
}

func TestClusterCount(t *testing.T) {
	cfg := DefaultConfig()
	for n, want := range map[int]int{0: 4, 20: 4, 60: 12, 319: 63, 320: 64, 20000: 64} {
		if got := cfg.clusters(n); got != want {
			t.Errorf("%d samples: k %d, want %d", n, got, want)
		}
	}
	if cfg.K = 9; cfg.clusters(5) != 9 {
		t.Error("a fixed k is not used")
	}
}

func TestWindowsAreWholePanes(t *testing.T) {
	got := wholePanes([]time.Duration{61 * time.Second, 0, -5, 1, 60 * time.Second}, time.Minute)
	want := []time.Duration{time.Minute, 2 * time.Minute}
	if !slices.Equal(got, want) || !slices.Equal(wholePanes(nil, 7), []time.Duration{7}) {
		t.Errorf("windows %v, want %v", got, want)
	}
}

func TestReasonsComeByWeight(t *testing.T) {
	reasons := []reason{{off: 9, Why: logs.Why{Feature: "c", Pct: 20}}, {off: 7, Why: logs.Why{Feature: "a", Pct: 30}}, {off: 50, Why: logs.Why{Feature: "b", Pct: 20}}}
	slices.SortStableFunc(reasons, reason.compare)
	if got := reasons[0].Feature + reasons[1].Feature + reasons[2].Feature; got != "abc" {
		t.Errorf("%s", got)
	}
}
