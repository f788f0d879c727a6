package cli

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Only a regular file is read a second time: of a pipe there is nothing left, and the
// daemon would take the defaults, or wait.
func TestLoadAgain(t *testing.T) {
	dir := t.TempDir()
	file, fifo := filepath.Join(dir, "pcapdir.toml"), filepath.Join(dir, "fifo")
	if err := os.WriteFile(file, []byte("logs.rotate = \"24h\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	f := settings{file: file, set: []string{"shards.count=3"}}
	if cfg, err := f.loadAgain(); err != nil || cfg.Logs.Rotate != 24*time.Hour || cfg.Shards.Count != 3 {
		t.Errorf("%+v, %v", cfg, err)
	}
	for _, path := range []string{fifo, dir, filepath.Join(dir, "gone")} {
		if _, err := (&settings{file: path}).loadAgain(); err == nil {
			t.Errorf("%s is read anew", path)
		}
	}
	if _, err := new(settings).loadAgain(); err != nil {
		t.Errorf("without a file: %v", err)
	}
}
