package pipeline_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pcapdir/daemon/config"
	"pcapdir/daemon/pipeline"
	"pcapdir/source/packet"
	"pcapdir/source/pcapfile/pcaptest"
)

// badCase is one of testdata/bad.
type badCase struct {
	name    string
	records int // framed before the damage
	outcome string
	reason  string // part of it
}

// badCases are all of testdata/bad; a file without a row fails the test.
var badCases = []badCase{
	{"empty.pcap", 0, "failed", "empty file"},
	{"half-header.pcap", 0, "failed", "cut short: 11 of 24 bytes"},
	{"header-only.pcap", 0, "done", "a capture without packets"},
	{"header-only.pcapng", 0, "done", "a capture without packets"},
	{"cut-in-record.pcap", 30, "failed", "record 31 cut short"},
	{"cut-in-head.pcap", 30, "failed", "record 31 cut short"},
	{"cut.pcapng", 59, "failed", "cut short"},
	{"cut.pcap.gz", 48, "failed", "cut short"},
	{"cut.pcap.zst", 48, "failed", "cut short"},
	{"not-a-capture.pcap", 0, "failed", "not a capture"},
	{"not-a-capture.gz", 0, "failed", "not a capture"},
	{"zeros.pcap", 0, "failed", "not a capture: it starts with 00"},
	{"zeros-behind.pcap", 62, "done", ""},
	{"absurd-length.pcap", 30, "failed", "record 31"},
	{"length-of-all.pcap", 30, "failed", "record 31"},
	{"captured-over-wire.pcap", 60, "done", ""},
	{"absurd-block.pcapng", 0, "failed", "block"},
	{"short-block.pcapng", 0, "failed", "block"},
	{"unknown-link.pcap", 60, "failed", "not decoded: link type"},
	{"unknown-version.pcap", 0, "failed", "version"},
}

func (b badCase) path() string { return filepath.Join(testdata, "bad", b.name) }

// check compares a line of spool.log with what must come of the file.
func (b badCase) check(t *testing.T, f fate) {
	t.Helper()
	if f.Outcome != b.outcome || !strings.Contains(f.Reason, b.reason) || f.Outcome == "failed" && f.Reason == "" {
		t.Errorf("%s: outcome %s (%s), want %s (%s)", b.name, f.Outcome, f.Reason, b.outcome, b.reason)
	}
	if f.Packets != uint64(b.records) {
		t.Errorf("%s: %d records, want %d", b.name, f.Packets, b.records)
	}
}

func TestEveryBadFileHasACase(t *testing.T) {
	found, err := filepath.Glob(filepath.Join(testdata, "bad", "*"))
	if err != nil || len(found) == 0 {
		t.Fatal(err)
	}
	for _, path := range found {
		if !slices.ContainsFunc(badCases, func(b badCase) bool { return b.name == filepath.Base(path) }) {
			t.Errorf("%s has no row in badCases", path)
		}
	}
}

// What can be framed before the damage is in the logs as if there were nothing
// behind it, and the outcome says what is wrong.
func TestBadFilesInABatch(t *testing.T) {
	for _, b := range badCases {
		t.Run(b.name, func(t *testing.T) {
			got := newJob(t).read(t, b.path())
			b.check(t, got.only(t))
			if failed := b.outcome == "failed"; errors.Is(got.err, pipeline.ErrFailedFiles) != failed {
				t.Errorf("error %v", got.err)
			} else if failed != (len(got.sum.Failures) == 1) {
				t.Errorf("failures in the summary: %v", got.sum.Failures)
			}
			whole, _ := tryCapture(b.path())
			if len(whole.recs) == 0 {
				return
			}
			prefix := whole.write(t, t.TempDir(), "prefix")
			wantSameLogs(t, newJob(t).read(t, prefix), got)
		})
	}
}

// A capture cut at any byte of its last two records: nothing whole is lost,
// nothing half is taken, and only the cuts between records are no damage.
func TestTruncationAtEveryByte(t *testing.T) {
	c := loadCapture(t, "containers/micro.pcap")
	short := capture{c.name, c.recs[:12]}
	for _, f := range []form{forms[0], forms[3], forms[6]} {
		t.Run(f.name, func(t *testing.T) { checkTruncation(t, f, short) })
	}
}

func checkTruncation(t *testing.T, f form, c capture) {
	var whole []output // by number of records
	ends := map[int]int{}
	for n := len(c.recs) - 2; n <= len(c.recs); n++ {
		text := f.encode(t, capture{c.name, c.recs[:n]})
		ends[len(text)] = n
		for len(whole) < n {
			whole = append(whole, output{})
		}
		whole = append(whole, newJob(t).read(t, writeFile(t, filepath.Join(t.TempDir(), "x"), text)))
	}
	text := f.encode(t, c)
	from := len(f.encode(t, capture{c.name, c.recs[:len(c.recs)-2]}))
	records := len(c.recs) - 2
	for to := from; to <= len(text); to++ {
		n, clean := ends[to]
		if clean {
			records = n
		}
		got := newJob(t).read(t, writeFile(t, filepath.Join(t.TempDir(), "x"), text[:to]))
		wantSameLogs(t, whole[records], got)
		s := got.only(t)
		if s.Packets != uint64(records) || (s.Outcome == "done") != clean || (s.Reason == "") != clean {
			t.Fatalf("cut at byte %d of %d: %d records, %s (%s); want %d, clean: %v",
				to, len(text), s.Packets, s.Outcome, s.Reason, records, clean)
		}
	}
}

// Compressed captures cut anywhere: the records out of a shorter file are a
// prefix of those out of a longer one.
func TestTruncatedCompression(t *testing.T) {
	c := loadCapture(t, "containers/micro.pcap")
	for _, f := range []form{forms[4], forms[5], forms[11]} {
		t.Run(f.name, func(t *testing.T) {
			text := blockwise(t, f, c)
			step := max(1, len(text)/40)
			var before uint64
			for to := 0; to < len(text); to += step {
				got := newJob(t).read(t, writeFile(t, filepath.Join(t.TempDir(), "x"), text[:to]))
				s := got.only(t)
				if s.Outcome != "failed" || s.Reason == "" || s.Packets < before {
					t.Fatalf("cut at byte %d: %d records after %d, %s (%s)", to, s.Packets, before, s.Outcome, s.Reason)
				}
				if before = s.Packets; before > 0 {
					prefix := capture{c.name, c.recs[:before]}.write(t, t.TempDir(), "prefix")
					wantSameLogs(t, newJob(t).read(t, prefix), got)
				}
			}
			if before == 0 {
				t.Error("nothing was ever read")
			}
		})
	}
}

// What the xz, bzip2 and lz4 commands make of a capture is that capture.
func TestSqueezedByCommands(t *testing.T) {
	want := newJob(t).read(t, filepath.Join(testdata, "containers/micro.pcap"))
	for name, compression := range map[string]string{
		"micro.pcap.xz": "xz", "micro.pcap.bz2": "bzip2", "micro.pcap.lz4": "lz4", "micro.legacy.lz4": "lz4",
	} {
		got := newJob(t).read(t, filepath.Join(testdata, "squeezed", name))
		if f := got.only(t); f.Outcome != "done" || f.Compression != compression {
			t.Errorf("%s: %+v", name, f)
		}
		wantSameLogs(t, want, got)
	}
}

// A stream that expands without end is given up, and what was read of it is kept.
func TestDecompressionBomb(t *testing.T) {
	if testing.Short() {
		t.Skip("inflates a gigabyte")
	}
	zeros := make([]byte, 1<<18-100)
	recs := make([]record, 5000)
	for i := range recs {
		recs[i] = record{LinkType: 1, Wire: uint32(len(zeros)), Data: zeros, TS: packet.Unix(1e9, 0)}
	}
	var b bytes.Buffer
	z := zstandard(&b)
	err := errors.Join(pcaptest.WritePcap(z, pcaptest.PcapOptions{}, recs), z.Close())
	if err != nil {
		t.Fatal(err)
	}
	got := newJob(t).read(t, writeFile(t, filepath.Join(t.TempDir(), "x"), b.Bytes()))
	f := got.only(t)
	if f.Outcome != "failed" || !strings.Contains(f.Reason, "bomb") || f.Packets < 4000 || f.Packets > 4200 {
		t.Errorf("a bomb of %d bytes: %+v", b.Len(), f)
	}
}

// blockwise is the capture compressed in blocks of some records, so that a cut
// leaves whole ones before it.
func blockwise(t *testing.T, f form, c capture) []byte {
	t.Helper()
	text := forms[0].encode(t, c)
	var b bytes.Buffer
	z := f.squash(&b)
	for part := range slices.Chunk(text, 1000) {
		_, err := z.Write(part)
		if err := errors.Join(err, z.(interface{ Flush() error }).Flush()); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Every length field of a capture, set to what it must not be: an outcome, not
// a panic, a hang or a gigabyte.
func TestAbsurdLengths(t *testing.T) {
	c := loadCapture(t, "containers/micro.pcap")
	plain := forms[0].encode(t, capture{c.name, c.recs[:6]})
	third := len(forms[0].encode(t, capture{c.name, c.recs[:2]}))
	for _, n := range []uint32{1 << 31, 1<<32 - 1, 1 << 30, 1<<28 + 1} {
		text := slices.Clone(plain)
		binary.LittleEndian.PutUint32(text[third+8:], n)
		got := newJob(t).read(t, writeFile(t, filepath.Join(t.TempDir(), "x"), text))
		if s := got.only(t); s.Outcome != "failed" || s.Packets != 2 {
			t.Errorf("captured length %d: %d records, %s (%s)", n, s.Packets, s.Outcome, s.Reason)
		}
	}
	for at := 0; at < len(plain); at += 3 {
		text := slices.Clone(plain)
		text[at] ^= 0xff
		got := newJob(t).read(t, writeFile(t, filepath.Join(t.TempDir(), "x"), text))
		if s := got.only(t); s.Outcome == "failed" && s.Reason == "" {
			t.Errorf("byte %d flipped: failed without a reason", at)
		}
	}
}

// A file that cannot be read takes nothing from those around it.
func TestBadFilesAmongGoodOnes(t *testing.T) {
	c := loadCapture(t, "golden/cases.pcap.gz").sorted()
	dir := t.TempDir()
	for i, p := range (capture{c.name, c.recs}).cut(5, false, newRand(9)) {
		p.write(t, dir, fmt.Sprintf("good-%d", i))
	}
	want := newJob(t).read(t, dir)
	bad := 0
	for _, b := range badCases {
		if b.records == 0 { // with records of their own the logs would differ
			bad++
			writeFile(t, filepath.Join(dir, b.name), readFile(t, b.path()))
		}
	}
	got := newJob(t).read(t, dir)
	wantSameLogs(t, want, got)
	for _, f := range got.spool {
		i := slices.IndexFunc(badCases, func(b badCase) bool { return b.name == filepath.Base(f.File) })
		if i >= 0 {
			badCases[i].check(t, f)
		} else if f.Outcome != "done" || f.Reason != "" {
			t.Errorf("%s: %s (%s)", f.File, f.Outcome, f.Reason)
		}
	}
	if len(got.spool) != len(want.spool)+bad {
		t.Errorf("%d lines in spool.log", len(got.spool))
	}
}

// Stamps at the ends of time, which pcapng can say, do not stop the others.
func TestAbsurdStamps(t *testing.T) {
	c := loadCapture(t, "containers/micro.pcap")
	var b bytes.Buffer
	if err := pcaptest.WritePcapng(&b, pcaptest.PcapngOptions{}, c.recs); err != nil {
		t.Fatal(err)
	}
	text := b.Bytes()
	blocks := enhancedBlocks(text)
	for _, at := range []int{blocks[0], blocks[5], blocks[len(blocks)-1]} {
		for _, stamp := range []uint64{0, 1<<64 - 1, 1 << 63, 1 << 62} {
			odd := slices.Clone(text)
			binary.LittleEndian.PutUint32(odd[at+12:], uint32(stamp>>32))
			binary.LittleEndian.PutUint32(odd[at+16:], uint32(stamp))
			got := newJob(t).read(t, writeFile(t, filepath.Join(t.TempDir(), "x"), odd))
			if s := got.only(t); s.Outcome != "done" || s.Packets != uint64(len(c.recs)) {
				t.Errorf("stamp %#x at %d: %d records, %s (%s)", stamp, at, s.Packets, s.Outcome, s.Reason)
			}
		}
	}
}

// enhancedBlocks is where the enhanced packet blocks of a little-endian pcapng
// file start.
func enhancedBlocks(text []byte) (at []int) {
	for off := 0; off+12 <= len(text); off += int(binary.LittleEndian.Uint32(text[off+4:])) {
		if binary.LittleEndian.Uint32(text[off:]) == 6 {
			at = append(at, off)
		}
	}
	return at
}

// The same capture with one stamp far ahead ends, and in no longer than it takes.
func TestFarStampBetweenOthers(t *testing.T) {
	c := loadCapture(t, "containers/micro.pcap")
	odd := capture{c.name, slices.Clone(c.recs)}
	odd.recs[20].TS = odd.recs[20].TS.Add(40 * 365 * 24 * time.Hour)
	path := odd.write(t, t.TempDir(), "x")
	for _, inside := range bothInsides {
		got := run(t, sample[0], inside, 40*365*24*time.Hour, path)
		s := got.only(t)
		told := s.Suspect == 1 && s.Inversions == 0
		if inside == config.InsideFile {
			told = s.Suspect == 0 && s.Inversions > 0
		}
		if s.Outcome != "done" || s.Packets != uint64(len(c.recs)) || !told {
			t.Errorf("%s: %d records, %d suspect, %d inversions, %s (%s)", inside, s.Packets, s.Suspect, s.Inversions, s.Outcome, s.Reason)
		}
	}
}
