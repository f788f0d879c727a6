package spool_test

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pcapdir/source/spool"
)

// disks is a file system on several devices, which its directories are. It
// knows how many reads run on each.
type disks struct {
	spool.OS
	root string

	mu      sync.Mutex
	reads   map[uint64]int // running
	most    map[uint64]int
	largest int // bytes of a read
}

// The devices 8:1 and 8:17 are partitions of the disks sda and sdb, 253:0 is a
// mapping; sda and the mapping rotate. Of 0:50 nothing is known.
const sda1, sdb1, mapped, network = 8<<8 | 1, 8<<8 | 17, 253 << 8, 50

var deviceDirs = map[string]uint64{"sda1": sda1, "sdb1": sdb1, "mapped": mapped, "network": network}

func newDisks(t *testing.T) *disks {
	root := t.TempDir()
	for name, text := range map[string]string{"sys/sda": "1\n", "sys/sdb": "0\n", "sys/dm-0": "1\n"} {
		write(t, filepath.Join(root, name, "queue/rotational"), []byte(text))
	}
	return &disks{root: root, reads: map[uint64]int{}, most: map[uint64]int{}}
}

func (d *disks) Resolve(path string) (string, error) {
	name, ok := strings.CutPrefix(path, "/sys/dev/block/")
	if !ok {
		return d.OS.Resolve(path)
	}
	at := map[string]string{"8:1": "sys/sda/sda1", "8:17": "sys/sdb/sdb1", "253:0": "sys/dm-0"}[name]
	if at == "" {
		return "", fs.ErrNotExist
	}
	return filepath.Join(d.root, at), nil
}

func (d *disks) Open(path string) (spool.OpenFile, error) {
	f, err := d.OS.Open(path)
	if err != nil {
		return nil, err
	}
	return &diskFile{f, d, deviceDirs[filepath.Base(filepath.Dir(path))]}, nil
}

type diskFile struct {
	spool.OpenFile
	d   *disks
	dev uint64
}

func (f *diskFile) Stat() (spool.Stat, error) {
	st, err := f.OpenFile.Stat()
	st.Dev = f.dev
	return st, err
}

func (f *diskFile) ReadAt(p []byte, off int64) (int, error) {
	f.d.count(f.dev, 1, len(p))
	defer f.d.count(f.dev, -1, 0)
	return f.OpenFile.ReadAt(p, off)
}

func (d *disks) count(dev uint64, n, size int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reads[dev] += n
	d.most[dev] = max(d.most[dev], d.reads[dev])
	d.largest = max(d.largest, size)
}

// readAll reads files of every device at once, all in step, so that each is in
// the middle when the others are.
func (d *disks) readAll(t *testing.T, pool *spool.Descriptors, files int) {
	t.Helper()
	const size = 600 << 10
	var wg sync.WaitGroup
	for dir := range deviceDirs {
		for i := range files {
			path := write(t, filepath.Join(d.root, dir, fmt.Sprint(i)), bytes.Repeat([]byte{byte(i)}, size))
			f, err := d.Open(path)
			must(t, err)
			st, err := f.Stat()
			must(t, err)
			must(t, f.Close())
			wg.Go(func() {
				h := pool.File(path, st.Identity)
				defer h.Close()
				got, err := io.ReadAll(h.Stream(0))
				if err != nil || !bytes.Equal(got, bytes.Repeat([]byte{byte(i)}, size)) {
					t.Errorf("%s: %d bytes, %v", path, len(got), err)
				}
			})
		}
	}
	wg.Wait()
}

// Readers on a spinning disk take turns, with long reads; those on others do
// not. However few descriptors there are, all get through.
func TestReadersTakeTurns(t *testing.T) {
	for _, limit := range []int{1, 2, 64} {
		d := newDisks(t)
		pool := spool.NewDescriptors(d, limit)
		pool.TakeTurns(0)
		d.readAll(t, pool, 64)
		if d.most[sda1] != 1 || d.most[mapped] != 1 {
			t.Errorf("limit %d: reads at once: %v", limit, d.most)
		}
		if limit == 64 && d.most[sdb1]+d.most[network] < 3 {
			t.Errorf("readers of other devices took turns: %v", d.most)
		}
		if d.largest != 600<<10 { // all of a file
			t.Errorf("a turn is %d bytes", d.largest)
		}
		if pool.Open() != 0 {
			t.Errorf("%d are open at the end", pool.Open())
		}
	}
}

func TestTurnsPerDevice(t *testing.T) {
	d := newDisks(t)
	pool := spool.NewDescriptors(d, 64)
	pool.TakeTurns(2)
	d.readAll(t, pool, 32)
	for _, dev := range deviceDirs {
		if n := d.most[dev]; n < 1 || n > 2 {
			t.Errorf("%d reads at once on %d:%d, want 2 at most", n, dev>>8, dev&0xff)
		}
	}
}

// What turns read ahead takes bounded memory: with more readers each has less.
func TestTurnsShrink(t *testing.T) {
	d := newDisks(t)
	pool := spool.NewDescriptors(d, 4)
	pool.TakeTurns(1)
	path := write(t, filepath.Join(d.root, "sda1/x"), make([]byte, 10<<20))
	read := func(readers int) int {
		var handles []*spool.Handle
		var last io.Reader
		for range readers {
			f, err := d.Open(path)
			must(t, err)
			st, err := f.Stat()
			must(t, err)
			must(t, f.Close())
			h := pool.File(path, st.Identity)
			last = h.Stream(0)
			handles = append(handles, h)
		}
		d.largest = 0
		_, err := io.ReadFull(last, make([]byte, 10))
		must(t, err)
		for _, h := range handles {
			must(t, h.Close())
		}
		return d.largest
	}
	for readers, want := range map[int]int{1: 4 << 20, 64: 4 << 20, 65: 2 << 20, 500: 512 << 10, 5000: 256 << 10} {
		if got := read(readers); got != want {
			t.Errorf("with %d readers a turn is %d bytes, want %d", readers, got, want)
		}
	}
}
