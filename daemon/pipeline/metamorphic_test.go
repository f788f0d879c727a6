package pipeline_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"pcapdir/daemon/config"
	"pcapdir/source/merge"
	"pcapdir/source/packet"
)

// long asks for the whole product of shapes and for many real captures, which
// takes minutes; without it a sample runs that names every shape once.
var long = os.Getenv("PCAPDIR_LONG") != ""

// shape is one way to run the same work. No log depends on it.
type shape struct {
	shards       int
	hash         config.Hash
	batch, queue int
	procs        int
	commit       time.Duration
}

func (s shape) String() string {
	return fmt.Sprintf("%d-shards,%s,batch-%d,queue-%d,procs-%d,commit-%s", s.shards, s.hash, s.batch, s.queue, s.procs, s.commit)
}

// plain is the shape that all others are compared with.
var plain = shape{1, config.Hash2Tuple, 256, 4, 2, 5 * time.Second}

// sample is a spread of shapes in which every value stands beside every other
// of the same field at least once.
var sample = []shape{
	{2, config.Hash2Tuple, 256, 4, 2, 5 * time.Second},
	{7, config.Hash2Tuple, 1, 1, 4, time.Millisecond},
	{2, config.Hash4Tuple, 3, 1, 1, time.Millisecond},
	{7, config.Hash4Tuple, 256, 4, 4, 5 * time.Second},
	{1, config.Hash5Tuple, 1, 4, 1, 5 * time.Second},
	{7, config.Hash5Tuple, 3, 1, 2, 3 * time.Millisecond},
	{2, config.Hash5Tuple, 256, 1, 1, 3 * time.Millisecond},
}

// product is every combination.
func product() (all []shape) {
	for _, shards := range []int{1, 2, 7} {
		for _, hash := range []config.Hash{config.Hash2Tuple, config.Hash4Tuple, config.Hash5Tuple} {
			for _, batch := range []int{1, 3, 256} {
				for _, queue := range []int{1, 4} {
					for _, procs := range []int{1, 2, 4} {
						all = append(all, shape{shards, hash, batch, queue, procs, 5 * time.Second})
					}
				}
			}
		}
	}
	return all
}

// shapes are those of this run.
func shapes() []shape {
	if long {
		return append(product(), sample...)
	}
	return sample
}

// run reads paths in a shape. span is the length of the capture: reports are
// spaced so that it gets some hundreds at most, for it is not they that are
// varied, and a capture may span months.
func run(t *testing.T, s shape, inside config.Inside, span time.Duration, paths ...string) output {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(s.procs))
	j := newJob(t)
	j.cfg.Shards.Count, j.cfg.Shards.Hash = s.shards, s.hash
	j.cfg.Order.Inside = inside
	j.cfg.Commit.Interval = s.commit
	reports := time.Duration(200)
	if testing.Short() {
		reports = 30
	}
	j.cfg.Vectors.Pane = max(time.Minute, (span / reports).Truncate(time.Minute))
	j.cfg.Vectors.Windows = []time.Duration{j.cfg.Vectors.Pane, 5 * j.cfg.Vectors.Pane}
	j.sizes = merge.Config{Batch: s.batch, Queue: s.queue}
	return j.read(t, paths...)
}

func (c capture) span() time.Duration { return c.recs[len(c.recs)-1].TS.Sub(c.recs[0].TS) }

// own are captures of the repository, from small to large; in the short form, which
// runs under slow detectors, without the largest.
func own(t *testing.T) []capture {
	all := []capture{loadCapture(t, "golden/cases.pcap.gz"), loadCapture(t, "pcap/lab-00.pcap.zst")}
	if testing.Short() {
		return all
	}
	return append(all, loadCapture(t, "golden/random.pcap.gz"))
}

var bothInsides = []config.Inside{config.InsideSort, config.InsideFile}

// C3: shards, hash, batches, queues, processors and commits leave no trace. It
// holds for every capture, however disordered.
func TestShapesLeaveNoTrace(t *testing.T) {
	for _, c := range own(t) {
		t.Run(c.name, func(t *testing.T) { checkShapes(t, c) })
	}
}

func checkShapes(t *testing.T, c capture) {
	path := c.write(t, t.TempDir(), "one")
	for _, inside := range bothInsides {
		want := run(t, plain, inside, c.span(), path)
		if want.err == nil && len(want.logs["conn"]) == 0 {
			t.Fatal("no connection at all: nothing is tested")
		}
		for _, s := range shapes() {
			t.Run(string(inside)+"/"+s.String(), func(t *testing.T) {
				got := run(t, s, inside, c.span(), path)
				wantSameLogs(t, want, got)
				wantSameFates(t, want, got)
			})
		}
	}
}

// One stamp far ahead, in a file that is taken as it stands, puts all that
// follows into one instant: connections end in it before the flush and by it,
// and every line has its place all the same.
func TestOneInstant(t *testing.T) {
	c := loadCapture(t, "pcap/lab-03.pcap.zst")
	c.recs = slices.Clone(c.recs[:20_000])
	c.recs[5_000].TS = c.recs[5_000].TS.Add(time.Hour)
	path := c.write(t, t.TempDir(), "one")
	want := run(t, plain, config.InsideFile, time.Hour, path)
	for _, s := range sample {
		got := run(t, s, config.InsideFile, time.Hour, path)
		wantSameLogs(t, want, got)
		wantSameFates(t, want, got)
	}
}

// Records that are nobody's packets move event time like any other: it is the
// same whether they stand behind the others or in a file of their own.
func TestTimePassesWithoutPackets(t *testing.T) {
	c := loadCapture(t, "containers/micro.pcap").sorted()
	arp := append(bytes.Repeat([]byte{0xff}, 6), 2, 0, 0, 0, 0, 1, 8, 6)
	for i := range 5 {
		r := record{TS: c.recs[len(c.recs)-1].TS.Add(time.Duration(i+1) * 40 * time.Second), LinkType: 1}
		r.Data = append(slices.Clone(arp), make([]byte, 28)...)
		r.Wire = uint32(len(r.Data))
		c.recs = append(c.recs, r)
	}
	for _, inside := range bothInsides {
		want := run(t, plain, inside, c.span(), c.write(t, t.TempDir(), "one"))
		if want.only(t).Dropped["non_ip"] != 5 {
			t.Fatalf("dropped: %v", want.only(t).Dropped)
		}
		for n := 1; n <= 5; n++ {
			dir := t.TempDir()
			capture{"head", c.recs[:len(c.recs)-n]}.write(t, dir, "z")
			capture{"tail", c.recs[len(c.recs)-n:]}.write(t, dir, "a")
			got := run(t, sample[n], inside, c.span(), dir)
			wantSameLogs(t, want, got)
			wantSameBooks(t, want, got)
		}
	}
}

// C3 over several files at once that overlap and share stamps, so that ties
// between files must be broken by what they hold.
func TestShapesLeaveNoTraceOfOverlap(t *testing.T) {
	parts := overlapping(t, func(i int) packet.Time { return 0 })
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, inside := range bothInsides {
		want := run(t, plain, inside, time.Hour, scatter(t, parts, rnd, forms[:1]))
		for _, s := range shapes() {
			t.Run(string(inside)+"/"+s.String(), func(t *testing.T) {
				got := run(t, s, inside, time.Hour, scatter(t, parts, rnd, forms[:1]))
				wantSameLogs(t, want, got)
				wantSameBooks(t, want, got)
			})
		}
	}
}

// overlapping are three captures moved to one beginning.
func overlapping(t *testing.T, below func(i int) packet.Time) (parts []capture) {
	to := packet.Unix(1_700_000_000, 0)
	for i, c := range own(t) {
		if at := slices.IndexFunc(c.recs, func(r record) bool { return r.TS.Sub(c.recs[0].TS) > time.Hour }); at > 0 {
			c.recs = c.recs[:at]
		}
		parts = append(parts, c.sorted().shifted(to, below(i)))
	}
	return parts
}

// C2: one file, or many, of whatever name, age, place and form.
func TestCutsLeaveNoTrace(t *testing.T) {
	for i, c := range own(t) {
		t.Run(c.name, func(t *testing.T) { checkCuts(t, c, uint64(i)) })
	}
}

func checkCuts(t *testing.T, c capture, seed uint64) {
	rnd := rand.New(rand.NewPCG(seed, 7))
	if !c.orderly(config.Default().Order.Window) {
		c = c.sorted() // disorder beyond the window is outside the contract
	}
	one := c.write(t, t.TempDir(), "one")
	pieces := []int{2, 17, 200}
	if long {
		pieces = []int{2, 3, 5, 10, 20, 50, 100, 150, 200}
	}
	for _, inside := range bothInsides {
		want := run(t, plain, inside, c.span(), one)
		check := func(name string, s shape, root string) {
			t.Run(string(inside)+"/"+name, func(t *testing.T) {
				got := run(t, s, inside, c.span(), root)
				wantSameLogs(t, want, got)
				wantSameBooks(t, want, got)
			})
		}
		for i, n := range pieces {
			parts := c.cut(n, inside == config.InsideFile, rnd)
			s := sample[(i+int(seed))%len(sample)]
			check(fmt.Sprintf("cut-%d/%s", n, s), s, scatter(t, parts, rnd, forms))
		}
		// Dealing out stamps makes files that overlap wholly. Without the sort
		// that is another input where records are not in order.
		if inside == config.InsideSort || c.ascending() {
			for _, n := range []int{2, 40} {
				check(fmt.Sprintf("dealt-%d", n), sample[n%len(sample)], scatter(t, c.deal(n, rnd), rnd, forms))
			}
		}
	}
}

// Disorder of less than the window is repaired: the logs are those of the
// capture in order, in one file or in many.
func TestDisorderLeavesNoTrace(t *testing.T) {
	c := loadCapture(t, "pcap/lab-01.pcap.zst").sorted()
	want := run(t, plain, config.InsideSort, c.span(), c.write(t, t.TempDir(), "one"))
	for seed := range uint64(3) {
		j := c.jittered(config.Default().Order.Window, seed)
		if j.ascending() || !j.orderly(config.Default().Order.Window) {
			t.Fatal("not the disorder that this test is for")
		}
		rnd := newRand(seed)
		got := run(t, sample[seed], config.InsideSort, c.span(), j.write(t, t.TempDir(), "one"))
		wantSameLogs(t, want, got)
		if got.only(t).Inversions < 1000 {
			t.Errorf("%d inversions", got.only(t).Inversions)
		}
		for i, parts := range [][]capture{j.cut(100, false, rnd), j.deal(30, rnd)} {
			got := run(t, sample[i+2], config.InsideSort, c.span(), scatter(t, parts, rnd, forms))
			wantSameLogs(t, want, got)
			wantSameBooks(t, want, got)
		}
	}
}

// Captures that overlap and share stamps, as of three taps with a coarse clock:
// which of two packets of one stamp comes first is for their content to say,
// never for the cutting.
func TestTiesBetweenFiles(t *testing.T) {
	parts := make([]capture, 3)
	for i, r := range loadCapture(t, "pcap/lab-02.pcap.zst").sorted().recs {
		r.TS = r.TS.Floor(20 * time.Millisecond)
		parts[i%3].recs = append(parts[i%3].recs, r)
	}
	rnd := rand.New(rand.NewPCG(6, 4))
	for _, inside := range bothInsides {
		want := run(t, plain, inside, time.Hour, scatter(t, parts, rnd, forms[:1]))
		for i := range 3 {
			var cut []capture
			for _, c := range parts {
				cut = append(cut, c.cut(10*i+2, inside == config.InsideFile, rnd)...)
			}
			got := run(t, sample[i], inside, time.Hour, scatter(t, cut, rnd, forms))
			wantSameLogs(t, want, got)
			wantSameBooks(t, want, got)
		}
	}
}

// The container of a capture is no part of what it says.
func TestFormsLeaveNoTrace(t *testing.T) {
	for _, c := range own(t)[:2] {
		t.Run(c.name, func(t *testing.T) {
			one := c.write(t, t.TempDir(), "one")
			want := run(t, plain, config.InsideSort, c.span(), one)
			for i, f := range forms {
				t.Run(f.name, func(t *testing.T) {
					if !f.holds(c) {
						t.Skip("the form cannot hold this capture as it is")
					}
					path := writeFile(t, filepath.Join(t.TempDir(), "x"), f.encode(t, c))
					got := run(t, sample[i%len(sample)], config.InsideSort, c.span(), path)
					wantSameLogs(t, want, got)
					wantSameBooks(t, want, got)
				})
			}
		})
	}
}

// Several captures that overlap are the one capture that holds all of them in
// order, and stay so however each is cut.
func TestOverlapLeavesNoTrace(t *testing.T) {
	// Nanoseconds tell the captures' stamps apart: in which order packets of
	// one stamp stand in the merged file would be a choice of the test.
	parts := overlapping(t, func(i int) packet.Time { return packet.Time(i) })
	all := merged(parts)
	rnd := rand.New(rand.NewPCG(3, 4))
	for _, inside := range bothInsides {
		want := run(t, plain, inside, all.span(), all.write(t, t.TempDir(), "one"))
		check := func(name string, s shape, parts []capture) {
			t.Run(string(inside)+"/"+name, func(t *testing.T) {
				got := run(t, s, inside, all.span(), scatter(t, parts, rnd, forms))
				wantSameLogs(t, want, got)
				wantSameBooks(t, want, got)
			})
		}
		check("whole", sample[1], parts)
		var cut []capture
		for _, c := range parts {
			cut = append(cut, c.cut(30, inside == config.InsideFile, rnd)...)
		}
		check("each-cut", sample[3], cut)
		check("cut-across", sample[5], all.cut(60, inside == config.InsideFile, rnd))
	}
}

// A spread of captures of other people's networks: odd link types, encapsulations,
// malformed packets, stamps out of order.
func TestRealCaptures(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(oracle, "*.pcap"))
	if err != nil || len(paths) == 0 {
		t.Skipf("no reference captures in %s", oracle)
	}
	step := 40
	if long {
		step = 3
	}
	var read, cut int
	for i := 0; i < len(paths); i += step {
		c, err := tryCapture(paths[i])
		if err != nil || len(c.recs) < 2 {
			continue
		}
		read++
		t.Run(c.name, func(t *testing.T) { cut += checkReal(t, c, uint64(i)) })
	}
	t.Logf("%d captures, %d cuttings of them compared", read, cut)
	if read == 0 || cut == 0 {
		t.Error("nothing was compared")
	}
}

func checkReal(t *testing.T, c capture, seed uint64) (cuttings int) {
	rnd := rand.New(rand.NewPCG(seed, 11))
	one := c.write(t, t.TempDir(), "one")
	for i, inside := range bothInsides {
		want := run(t, plain, inside, c.span(), one)
		if want.err != nil {
			return cuttings // no link type of ours: nothing to compare
		}
		for k := range 2 {
			s := sample[(int(seed)+3*i+k)%len(sample)]
			got := run(t, s, inside, c.span(), one)
			wantSameLogs(t, want, got)
			wantSameFates(t, want, got)
		}
		c := c
		if !c.orderly(config.Default().Order.Window) {
			c = c.sorted() // disorder beyond the window is outside the contract
			want = run(t, plain, inside, c.span(), c.write(t, t.TempDir(), "sorted"))
		}
		if want.only(t).Suspect > 0 {
			continue // nor does it cover suspect stamps: cut off from others they would be none
		}
		for _, n := range []int{2, 30} {
			parts := c.cut(n, inside == config.InsideFile, rnd)
			if len(parts) < 2 {
				continue
			}
			got := run(t, sample[rnd.IntN(len(sample))], inside, c.span(), scatter(t, parts, rnd, forms))
			wantSameLogs(t, want, got)
			wantSameBooks(t, want, got)
			cuttings++
		}
		if t.Failed() {
			t.Logf("%s, inside %s", c.name, inside)
		}
	}
	return cuttings
}
