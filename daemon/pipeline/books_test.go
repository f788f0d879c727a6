package pipeline_test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pcapdir/daemon/config"
)

// Whatever becomes of the bytes of a capture, each record that can still be framed
// has one fate, in packets and in bytes. All captures there are, one in eight as it
// is and the others damaged, many in one run. The seeds make them the same each time.
func TestBooksOfDamagedCaptures(t *testing.T) {
	paths := allCaptures(t)
	if testing.Short() {
		paths = slices.DeleteFunc(paths, func(p string) bool { return len(p)%16 != 0 })
	}
	rnd := newRand(3)
	records, failed := uint64(0), 0
	for group := range slices.Chunk(paths, 100) {
		dir := t.TempDir()
		want := map[string]fate{}
		for i, p := range group {
			name := filepath.Join(dir, fmt.Sprintf("%03d-%s", i, filepath.Base(p)))
			writeFile(t, name, damaged(readFile(t, p), rnd))
			want[name] = framed(name)
		}
		j := newJob(t)
		j.cfg.Spool.Duplicates = config.DuplicatesRead
		got := j.read(t, dir) // which checks that the books balance
		for _, f := range got.spool {
			if w := want[f.File]; f.Packets != w.Packets || f.Bytes != w.Bytes {
				t.Errorf("%s: %d packets of %d bytes, %d of %d can be framed (%s)", f.File, f.Packets, f.Bytes, w.Packets, w.Bytes, f.Reason)
			}
			delete(want, f.File)
			records += f.Packets
			if f.Outcome == "failed" {
				failed++
			}
		}
		if len(want) > 0 {
			t.Errorf("not in spool.log: %v", want)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d captures, %d of them failed, %d records", len(paths), failed, records)
}

// framed is what a reader of nothing but records finds in a file.
func framed(path string) (f fate) {
	c, _ := tryCapture(path) // what is wrong with it comes after the records
	for _, r := range c.recs {
		f.Packets, f.Bytes = f.Packets+1, f.Bytes+uint64(len(r.Data))
	}
	return f
}

// allCaptures are ours, and those of other projects where they are at hand.
func allCaptures(t *testing.T) (paths []string) {
	t.Helper()
	for _, dir := range []string{testdata, oracle} {
		err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() && isCapture(p) {
				paths = append(paths, p)
			}
			return err
		})
		if dir == oracle && os.IsNotExist(err) {
			t.Logf("%s is absent: without the captures of other projects", dir)
		} else if err != nil {
			t.Fatal(err)
		}
	}
	return paths
}

func isCapture(path string) bool {
	switch filepath.Ext(path) {
	case ".pcap", ".pcapng", ".gz", ".zst", ".trace", ".cap":
		return true
	}
	return false
}

// damaged is text with something done to it, or, one time in eight, nothing.
func damaged(text []byte, rnd *rand.Rand) []byte {
	if len(text) == 0 {
		return text
	}
	text = slices.Clone(text)
	from := rnd.IntN(len(text))
	to := min(len(text), from+1+rnd.IntN(200))
	switch rnd.IntN(8) {
	case 0:
	case 1:
		text = text[:from]
	case 2:
		text = slices.Delete(text, from, to)
	case 3:
		text = slices.Insert(text, to, text[from:to]...)
	case 4:
		for i := from; i < to; i++ {
			text[i] = byte(rnd.Uint32())
		}
	default:
		for range 1 + rnd.IntN(20) {
			text[rnd.IntN(len(text))] ^= 1 << rnd.IntN(8)
		}
	}
	return text
}
