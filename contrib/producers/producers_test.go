// Package producers tries the scripts that bring captures into the spool.
package producers

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// script runs one of the scripts here, for a spool.
func script(t *testing.T, spool, name string, args ...string) (string, error) {
	t.Helper()
	path, err := filepath.Abs(name)
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(path, args...)
	c.Env = append(os.Environ(), "PCAPDIR_SPOOL="+spool)
	text, err := c.CombinedOutput()
	return string(text), err
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// holds is what is in a directory, name=text.
func holds(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() {
			continue // of one that is on its way
		}
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e.Name()+"="+string(b))
	}
	return all
}

func TestIntoSpool(t *testing.T) {
	other, err := os.MkdirTemp("/dev/shm", "producers")
	if err != nil {
		t.Skipf("no second file system to move from: %v", err)
	}
	defer os.RemoveAll(other)
	for _, from := range []string{t.TempDir(), other} {
		spool := t.TempDir()
		write(t, filepath.Join(spool, "b.pcap"), "was there")
		a, b := write(t, filepath.Join(from, "a b.pcap"), "first"), write(t, filepath.Join(from, "b.pcap"), "second")
		if text, err := script(t, spool, "into-spool", a, b); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		if got := holds(t, spool); !slices.Equal(got, []string{"a b.pcap=first", "b.pcap=was there", "b.pcap.1=second"}) {
			t.Errorf("from %s: the spool holds %q", from, got)
		}
		if got := holds(t, from); len(got) > 0 {
			t.Errorf("%q is left", got)
		}
	}
	gone := filepath.Join(t.TempDir(), "gone")
	kept := write(t, filepath.Join(other, "kept"), "text")
	if _, err := script(t, gone, "into-spool", kept); err == nil || len(holds(t, other)) != 1 {
		t.Errorf("without a spool: %v, and %q is left", err, holds(t, other))
	}
}

// What is not to be read by the daemon stays; names may be odd.
func TestIntoSpoolOfOddFiles(t *testing.T) {
	spool, dir := t.TempDir(), t.TempDir()
	odd := write(t, filepath.Join(dir, "-n\n"), "odd")
	if err := os.Chmod(odd, 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := script(t, spool, "into-spool", odd); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if got := holds(t, spool); !slices.Equal(got, []string{"-n\n=odd"}) {
		t.Errorf("the spool holds %q", got)
	}
	if info, err := os.Stat(filepath.Join(spool, "-n\n")); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v: the group cannot read it", info.Mode(), err)
	}
	hidden, part, link := write(t, filepath.Join(dir, ".h"), ""), write(t, filepath.Join(dir, "a.part"), ""), filepath.Join(dir, "link")
	if err := os.Symlink(hidden, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{hidden, part, link, dir, filepath.Join(dir, "none")} {
		if text, err := script(t, spool, "into-spool", path); err == nil || !strings.Contains(text, "stays where it is") {
			t.Errorf("%s: %v %s", path, err, text)
		}
	}
	if got := holds(t, spool); len(got) != 1 {
		t.Errorf("the spool holds %q", got)
	}
}

// Many at once with files of the same names: each gets a name of its own.
func TestIntoSpoolAtOnce(t *testing.T) {
	spool := t.TempDir()
	const runs = 12
	var all sync.WaitGroup
	for range runs {
		file := write(t, filepath.Join(t.TempDir(), "a.pcap"), "x")
		all.Go(func() {
			if text, err := script(t, spool, "into-spool", file); err != nil {
				t.Errorf("%v: %s", err, text)
			}
		})
	}
	all.Wait()
	if got := holds(t, spool); len(got) != runs {
		t.Errorf("%d of %d files: %q", len(got), runs, got)
	}
}

// tcpdump calls the script for each file that it has finished but the last.
func TestTcpdump(t *testing.T) {
	tcpdump, err := exec.LookPath("tcpdump")
	if err != nil {
		t.Skip("tcpdump is not installed")
	}
	var capture []byte
	capture = append(capture, "\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x00\x00\x01\x00\x00\x00"...)
	const packets, size = 3000, 1000
	for range packets {
		capture = append(capture, "\x01\x00\x00\x00\x00\x00\x00\x00\xe8\x03\x00\x00\xe8\x03\x00\x00"...)
		capture = append(capture, strings.Repeat("\xff", size)...)
	}
	dir, spool := t.TempDir(), t.TempDir()
	path, err := filepath.Abs("into-spool")
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"-r", write(t, filepath.Join(dir, "all"), string(capture)), "-C", "1", "-w", filepath.Join(dir, "tap"), "-z", path}
	if os.Geteuid() == 0 {
		args = append(args, "-Z", "root") // or it becomes somebody who may not write here
	}
	c := exec.Command(tcpdump, args...)
	c.Env = append(os.Environ(), "PCAPDIR_SPOOL="+spool)
	if text, err := c.CombinedOutput(); err != nil {
		t.Skipf("tcpdump may not do this here: %v\n%s", err, text)
	}
	if got := holds(t, spool); len(got) < 2 || !strings.HasPrefix(got[0], "tap=\xd4\xc3\xb2\xa1") {
		t.Errorf("%d files in the spool", len(got))
	}
}

// What a dumpcap says that it has closed is moved, up to the last when it is stopped, and
// what an earlier one has left.
func TestDumpcapIntoSpool(t *testing.T) {
	bin, dir, spool := t.TempDir(), t.TempDir(), t.TempDir()
	stub := `#!/bin/sh
close() { echo $1 >$DIR/tap_$1.pcapng; echo $DIR/tap_$1.pcapng; }
trap 'close 2; exit 0' TERM
close 1
while :; do sleep 0.1; done
`
	if err := os.WriteFile(filepath.Join(bin, "dumpcap"), []byte(stub), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "tap_0.pcapng"), "0\n")
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	t.Setenv("DIR", dir)
	path, err := filepath.Abs("dumpcap-into-spool")
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(path, dir, "-i", "lo")
	c.Env = append(os.Environ(), "PCAPDIR_SPOOL="+spool)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if len(holds(t, spool)) == 2 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err := c.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
	if got := holds(t, spool); !slices.Equal(got, []string{"tap_0.pcapng=0\n", "tap_1.pcapng=1\n", "tap_2.pcapng=2\n"}) {
		t.Errorf("the spool holds %q", got)
	}
}
