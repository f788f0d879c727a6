package spool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"pcapdir/source/spool"
	"pcapdir/source/spool/spooltest"
)

// Any number of readers gets through any limit, with its own bytes.
func TestManyReadersFewDescriptors(t *testing.T) {
	const handles, size = 300, 3000
	dir := t.TempDir()
	for i := range handles {
		write(t, filepath.Join(dir, fmt.Sprint(i)), bytes.Repeat([]byte{byte(i)}, size))
	}
	for _, limit := range []int{1, 2, 64} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			faults := &spooltest.Faults{}
			d := pool(faults, limit)
			var wg sync.WaitGroup
			for i := range handles {
				wg.Go(func() {
					h := d.File(filepath.Join(dir, fmt.Sprint(i)), spool.Identity{})
					got := readSmall(t, h)
					if !bytes.Equal(got, bytes.Repeat([]byte{byte(i)}, size)) {
						t.Errorf("handle %d read %d wrong bytes", i, len(got))
					}
					if err := h.Close(); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if faults.MaxOpen() > limit || faults.NowOpen() != 0 || d.Open() != 0 {
				t.Errorf("%d open at most, %d (%d) at the end, limit %d", faults.MaxOpen(), faults.NowOpen(), d.Open(), limit)
			}
		})
	}
}

// readSmall reads in small pieces, so that readers take turns.
func readSmall(t *testing.T, h *spool.Handle) []byte {
	r := h.Reader(0)
	var got bytes.Buffer
	if _, err := io.CopyBuffer(struct{ io.Writer }{&got}, struct{ io.Reader }{r}, make([]byte, 700)); err != nil {
		t.Error(err)
	}
	return got.Bytes()
}

func TestClosingWhileOthersRead(t *testing.T) {
	dir := t.TempDir()
	d := pool(spool.OS{}, 2)
	var wg sync.WaitGroup
	for i := range 50 {
		h := d.File(write(t, filepath.Join(dir, fmt.Sprint(i)), make([]byte, 100)), spool.Identity{})
		for range 2 {
			wg.Go(func() {
				for range 20 {
					if _, err := h.ReadAt(make([]byte, 10), 0); err != nil && !errors.Is(err, fs.ErrClosed) {
						t.Error(err)
					}
				}
			})
		}
		wg.Go(func() { _ = h.Close() })
	}
	wg.Wait()
	if d.Open() != 0 {
		t.Errorf("%d descriptors are still open", d.Open())
	}
}

func TestReopenNoticesAnotherFile(t *testing.T) {
	dir := t.TempDir()
	a, b := write(t, filepath.Join(dir, "a"), []byte("aaaa")), write(t, filepath.Join(dir, "b"), []byte("bbbb"))
	d := pool(spool.OS{}, 1)
	ha, hb := d.File(a, spool.Identity{}), d.File(b, spool.Identity{})
	buf := make([]byte, 4)
	for _, h := range []*spool.Handle{ha, hb} { // hb takes the descriptor of ha
		if _, err := h.ReadAt(buf, 0); err != nil {
			t.Fatal(err)
		}
	}
	must(t, os.Rename(write(t, filepath.Join(dir, "c"), []byte("cccc")), a))
	if _, err := ha.ReadAt(buf, 0); !errors.Is(err, spool.ErrReplaced) {
		t.Errorf("reading a replaced file: %v", err)
	}
	if _, err := hb.ReadAt(buf, 0); err != nil || string(buf) != "bbbb" {
		t.Errorf("the other file: %q, %v", buf, err)
	}
	must(t, os.Remove(a))
	if _, err := ha.ReadAt(buf, 0); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reading a removed file: %v", err)
	}
}

// The process may be out of descriptors below the pool's own limit.
func TestOutOfDescriptors(t *testing.T) {
	dir := t.TempDir()
	faults := &spooltest.Faults{}
	d := pool(faults, 10)
	var handles []*spool.Handle
	for i := range 4 {
		handles = append(handles, d.File(write(t, filepath.Join(dir, fmt.Sprint(i)), []byte("x")), spool.Identity{}))
	}
	faults.Fail(func(op spooltest.Op, path string) error {
		if op == spooltest.Open && d.Open() > 2 { // the one being opened counts
			return syscall.EMFILE
		}
		return nil
	})
	buf := make([]byte, 1)
	for _, h := range handles {
		if _, err := h.ReadAt(buf, 0); err != nil {
			t.Errorf("with idle descriptors to give up: %v", err)
		}
	}
	faults.Fail(func(op spooltest.Op, path string) error {
		if op == spooltest.Open {
			return syscall.EMFILE
		}
		return nil
	})
	if _, err := handles[0].ReadAt(buf, 0); !errors.Is(err, syscall.EMFILE) {
		t.Errorf("with none left: %v", err)
	}
	faults.Fail(nil)
	for _, h := range handles {
		if _, err := h.ReadAt(buf, 0); err != nil {
			t.Errorf("after the want is over: %v", err)
		}
	}
}

// Readers wait for descriptors where they are told to, say so once, and give up at the end.
func TestWantOfDescriptors(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "file"), []byte("x"))
	synctest.Test(t, func(t *testing.T) {
		faults := &spooltest.Faults{}
		d := pool(faults, 10)
		told := 0
		ctx, stop := context.WithCancel(t.Context())
		d.WaitForWant(func(error) { told++ })
		begin := time.Now()
		faults.Fail(func(op spooltest.Op, path string) error {
			if op == spooltest.Open && time.Since(begin) < time.Minute {
				return syscall.ENFILE
			}
			return nil
		})
		if _, err := d.File(path, spool.Identity{}).ReadAt(make([]byte, 1), 0); !errors.Is(err, syscall.ENFILE) || told != 0 {
			t.Errorf("who was not told to wait: %v", err)
		}
		h := d.File(path, spool.Identity{})
		h.WaitUntil(ctx)
		if _, err := h.ReadAt(make([]byte, 1), 0); err != nil || time.Since(begin) < time.Minute || told != 1 {
			t.Errorf("after %s, told %d times: %v", time.Since(begin), told, err)
		}
		must(t, h.Close())
		begin = time.Now()
		time.AfterFunc(time.Second, stop)
		h = d.File(path, spool.Identity{})
		h.WaitUntil(ctx)
		if _, err := h.ReadAt(make([]byte, 1), 0); !errors.Is(err, syscall.ENFILE) || told != 2 {
			t.Errorf("at the end: told %d times: %v", told, err)
		}
	})
}

func TestOpenRefusesWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	must(t, syscall.Mkfifo(at("fifo"), 0o644))
	must(t, os.Symlink(write(t, at("file"), nil), at("link")))
	must(t, os.Symlink("loop", at("loop")))
	sock, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	must(t, err)
	defer func() { _ = syscall.Close(sock) }()
	t.Chdir(dir) // the path of a socket is short
	must(t, syscall.Bind(sock, &syscall.SockaddrUnix{Name: "socket"}))
	for _, name := range []string{"fifo", "link", "loop", "socket", "."} {
		write := func(path string) (spool.OpenFile, error) { return spool.OS{}.OpenWrite(path, 0o600) }
		for _, open := range []func(string) (spool.OpenFile, error){spool.OS{}.Open, write} {
			if _, err := open(at(name)); err == nil || !errors.Is(err, spool.ErrNotRegular) && !errors.Is(err, syscall.EISDIR) {
				t.Errorf("open %s: %v", name, err)
			}
		}
	}
}
