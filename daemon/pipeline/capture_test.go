package pipeline_test

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"pcapdir/source/decompress"
	"pcapdir/source/packet"
	"pcapdir/source/pcapfile"
	"pcapdir/source/pcapfile/pcaptest"
)

const (
	testdata = "../../testdata"
	oracle   = "../../../shared/oracle/pcaps"
)

type record = pcapfile.Record

// capture is the records of one file in its order.
type capture struct {
	name string
	recs []record
}

// tryCapture reads a capture as far as it is whole.
func tryCapture(path string) (capture, error) {
	c := capture{name: filepath.Base(path)}
	text, err := os.ReadFile(path)
	if err != nil {
		return c, err
	}
	plain, err := decompress.NewReader(decompress.Detect(text[:min(len(text), decompress.HeadLen)]), bytes.NewReader(text))
	if err != nil {
		return c, err
	}
	defer plain.Close()
	c.recs, err = pcaptest.ReadAll(plain)
	return c, err
}

// loadCapture is a capture of testdata, with a record at least. In the short form,
// which runs under slow detectors, it is cut off behind some
// thousands of records.
func loadCapture(t testing.TB, path string) capture {
	t.Helper()
	c, err := tryCapture(filepath.Join(testdata, path))
	if err != nil || len(c.recs) == 0 {
		t.Fatalf("%s: %d records, %v", path, len(c.recs), err)
	}
	if testing.Short() {
		c.recs = c.recs[:min(len(c.recs), 10_000)]
	}
	return c
}

// orderly says whether the disorder of the capture is one that the contract of
// cutting covers: up to the window.
func (c capture) orderly(window time.Duration) bool {
	top := c.recs[0].TS
	for _, r := range c.recs {
		if top.Sub(r.TS) > window {
			return false
		}
		top = max(top, r.TS)
	}
	return true
}

// ascending says whether stamps never fall.
func (c capture) ascending() bool { return c.orderly(0) }

// sorted is the capture with its records in order of stamps: what becomes of one
// that the contract of cutting leaves out, so that it is of use all the same.
func (c capture) sorted() capture {
	c.recs = slices.Clone(c.recs)
	slices.SortStableFunc(c.recs, func(a, b record) int { return cmp.Compare(a.TS, b.TS) })
	return c
}

// jittered is the capture with records out of place by up to most, as several
// queues of one network card leave them. Records of one stamp keep their order.
func (c capture) jittered(most time.Duration, seed uint64) capture {
	place := func(r record) packet.Time {
		return r.TS.Add(time.Duration(rand.New(rand.NewPCG(seed, uint64(r.TS))).Int64N(int64(most))))
	}
	c.recs = slices.Clone(c.recs)
	slices.SortStableFunc(c.recs, func(a, b record) int { return cmp.Compare(place(a), place(b)) })
	return c
}

// cuts are the places at which the capture may be cut: no stamp is on both
// sides and, if rising is set, every later one is greater than all before.
func (c capture) cuts(rising bool) (at []int) {
	last := map[packet.Time]int{}
	for i, r := range c.recs {
		last[r.TS] = i
	}
	least := make([]packet.Time, len(c.recs)+1) // of the records from i on
	least[len(c.recs)] = packet.MaxTime
	for i := len(c.recs) - 1; i >= 0; i-- {
		least[i] = min(least[i+1], c.recs[i].TS)
	}
	reach, top := 0, packet.Time(0)
	for i, r := range c.recs[:len(c.recs)-1] {
		reach, top = max(reach, last[r.TS]), max(top, r.TS)
		if reach <= i && (!rising || least[i+1] > top) {
			at = append(at, i+1)
		}
	}
	return at
}

// cut cuts the capture into n files, or as many as it can be cut into.
func (c capture) cut(n int, rising bool, rnd *rand.Rand) (parts []capture) {
	at := c.cuts(rising)
	rnd.Shuffle(len(at), func(i, j int) { at[i], at[j] = at[j], at[i] })
	at = slices.Clone(at[:min(n-1, len(at))])
	slices.Sort(at)
	from := 0
	for _, to := range append(at, len(c.recs)) {
		parts = append(parts, capture{fmt.Sprint(c.name, "-", from), c.recs[from:to]})
		from = to
	}
	return parts
}

// deal deals the stamps of the capture out to n files, all of which then span
// the whole time of it. Records of one stamp stay together.
func (c capture) deal(n int, rnd *rand.Rand) (parts []capture) {
	parts = make([]capture, n)
	to := map[packet.Time]int{}
	for _, r := range c.recs {
		p, ok := to[r.TS]
		if !ok {
			p = rnd.IntN(n)
			to[r.TS] = p
		}
		parts[p].recs = append(parts[p].recs, r)
	}
	return slices.DeleteFunc(parts, func(c capture) bool { return len(c.recs) == 0 })
}

// shifted is the capture moved in time, with the given nanoseconds below a
// microsecond so that stamps of different captures never meet.
func (c capture) shifted(to packet.Time, below packet.Time) capture {
	moved := capture{c.name, slices.Clone(c.recs)}
	delta := to - c.recs[0].TS
	for i := range moved.recs {
		moved.recs[i].TS = (moved.recs[i].TS+delta)/1000*1000 + below
	}
	return moved
}

// merged is all captures as one, in order of stamps.
func merged(parts []capture) (all capture) {
	all.name = "merged"
	for _, p := range parts {
		all.recs = append(all.recs, p.recs...)
	}
	return all.sorted()
}

// form is one way to write a capture.
type form struct {
	name   string
	pcap   *pcaptest.PcapOptions
	ng     *pcaptest.PcapngOptions
	sun    *pcaptest.SnoopOptions
	squash func(io.Writer) io.WriteCloser
}

// forms are the ways to write; the first is the plainest.
var forms = []form{
	{name: "pcap", pcap: &pcaptest.PcapOptions{}},
	{name: "pcap-big", pcap: &pcaptest.PcapOptions{BigEndian: true}},
	{name: "pcap-nano", pcap: &pcaptest.PcapOptions{Nano: true, SnapLen: 262144}},
	{name: "pcap-nano-big", pcap: &pcaptest.PcapOptions{Nano: true, BigEndian: true}},
	{name: "pcap.gz", pcap: &pcaptest.PcapOptions{}, squash: gzipped},
	{name: "pcap.zst", pcap: &pcaptest.PcapOptions{}, squash: zstandard},
	{name: "pcapng", ng: &pcaptest.PcapngOptions{}},
	{name: "pcapng-nano", ng: &pcaptest.PcapngOptions{Resol: 9, BigEndian: true}},
	{name: "pcapng-noisy", ng: &pcaptest.PcapngOptions{Resol: 9, Alternate: true, SectionEvery: 5, Interfaces: 3, Noise: true}},
	{name: "pcapng-old", ng: &pcaptest.PcapngOptions{Blocks: pcaptest.Obsolete, Resol: 9}},
	{name: "pcapng.gz", ng: &pcaptest.PcapngOptions{Resol: 9}, squash: gzipped},
	{name: "pcap.lz4", pcap: &pcaptest.PcapOptions{Nano: true}, squash: func(w io.Writer) io.WriteCloser { return lz4.NewWriter(w) }},
	{name: "pcap-patched", pcap: &pcaptest.PcapOptions{Patched: true}},
	{name: "snoop", sun: &pcaptest.SnoopOptions{}},
	{name: "pcapng.zst", ng: &pcaptest.PcapngOptions{Resol: 9, Interfaces: 2}, squash: zstandard},
}

func gzipped(w io.Writer) io.WriteCloser {
	z, _ := gzip.NewWriterLevel(w, gzip.BestSpeed) // the level is valid
	return z
}

func zstandard(w io.Writer) io.WriteCloser {
	z, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return z
}

// fine says whether the capture has stamps that microseconds cannot hold.
func (c capture) fine() bool {
	return slices.ContainsFunc(c.recs, func(r record) bool { return r.TS%1000 != 0 })
}

// mixed says whether it has several link types, which pcap cannot hold.
func (c capture) mixed() bool {
	return slices.ContainsFunc(c.recs, func(r record) bool { return r.LinkType != c.recs[0].LinkType })
}

// holds says whether the form can hold the capture as it is.
func (f form) holds(c capture) bool {
	switch {
	case f.sun != nil:
		return !c.mixed() && !c.fine() && c.recs[0].LinkType == 1
	case f.pcap != nil:
		return !c.mixed() && (f.pcap.Nano || !c.fine())
	default:
		return f.ng.Resol == 9 || !c.fine()
	}
}

// encode is the capture as a file.
func (f form) encode(t testing.TB, c capture) []byte {
	t.Helper()
	var b bytes.Buffer
	var err error
	switch {
	case f.pcap != nil:
		err = pcaptest.WritePcap(&b, *f.pcap, c.recs)
	case f.sun != nil:
		err = pcaptest.WriteSnoop(&b, *f.sun, c.recs)
	default:
		err = pcaptest.WritePcapng(&b, *f.ng, c.recs)
	}
	if err != nil {
		t.Fatalf("%s as %s: %v", c.name, f.name, err)
	}
	if f.squash == nil {
		return b.Bytes()
	}
	var squashed bytes.Buffer
	z := f.squash(&squashed)
	if _, err := z.Write(b.Bytes()); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return squashed.Bytes()
}

// formOf is the first form that holds the capture.
func formOf(c capture) form {
	return forms[slices.IndexFunc(forms, func(f form) bool { return f.holds(c) })]
}

// write writes the capture to dir in its plainest form.
func (c capture) write(t testing.TB, dir, name string) string {
	t.Helper()
	return writeFile(t, filepath.Join(dir, name), formOf(c).encode(t, c))
}

func writeFile(t testing.TB, path string, text []byte) string {
	t.Helper()
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// scatter writes the parts below a new directory under random names, times and
// sub-directories, each in a random one of the forms that hold it.
func scatter(t testing.TB, parts []capture, rnd *rand.Rand, choice []form) string {
	t.Helper()
	root := t.TempDir()
	dirs := []string{root}
	for range rnd.IntN(5) {
		dir := filepath.Join(dirs[rnd.IntN(len(dirs))], fmt.Sprintf("tap-%x", rnd.Uint32()))
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, dir)
	}
	for _, i := range rnd.Perm(len(parts)) {
		f := choice[rnd.IntN(len(choice))]
		for !f.holds(parts[i]) {
			f = forms[rnd.IntN(len(forms))]
		}
		name := filepath.Join(dirs[rnd.IntN(len(dirs))], fmt.Sprintf("%x%s", rnd.Uint64(), []string{"", ".pcap", ".txt", " -é.cap"}[rnd.IntN(4)]))
		path := writeFile(t, name, f.encode(t, parts[i]))
		at := time.Unix(rnd.Int64N(4e9), rnd.Int64N(1e9))
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }
