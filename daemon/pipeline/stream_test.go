package pipeline_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Pipes that are named, as bash's <(command) names them, are read as they come, beside
// each other and beside files.
func TestReadOfPipes(t *testing.T) {
	var paths, fed []string
	for _, name := range []string{"lab-00.pcap.zst", "lab-01.pcap.zst", "lab-02.pcap.zst"} {
		paths = append(paths, filepath.Join(testdata, "pcap", name))
	}
	want := newJob(t).read(t, paths...)
	if want.err != nil {
		t.Fatal(want.err)
	}
	for i, path := range paths[:2] {
		pipe := filepath.Join(t.TempDir(), "pipe")
		if err := syscall.Mkfifo(pipe, 0o600); err != nil {
			t.Fatal(err)
		}
		content := readFile(t, path)
		go func() {
			if err := os.WriteFile(pipe, content, 0); err != nil {
				t.Errorf("pipe %d: %v", i, err)
			}
		}()
		alias := filepath.Join(t.TempDir(), "alias")
		if err := os.Symlink(pipe, alias); err != nil {
			t.Fatal(err)
		}
		fed = append(fed, pipe, alias, pipe) // the second and third time it is the same one
	}
	got := newJob(t).read(t, append(fed, paths[2])...)
	if got.err != nil {
		t.Fatal(got.err)
	}
	wantSameLogs(t, want, got)
}
