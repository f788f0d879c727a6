package logs

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestWhenALogIsFull(t *testing.T) {
	zone := time.FixedZone("east", 5*3600+1800)
	at := func(hour, minute int) time.Time { return time.Date(2026, 11, 21, hour, minute, 0, 0, zone) }
	for _, c := range []struct {
		name        string
		by          Rotation
		opened, now time.Time
		size        int64
		want        bool
	}{
		{"never", Rotation{}, at(1, 0), at(23, 0), 1 << 40, false},
		{"within the hour", Rotation{Every: time.Hour}, at(5, 0), at(5, 59), 1, false},
		{"on the hour of the place", Rotation{Every: time.Hour}, at(5, 59), at(6, 0), 1, true},
		{"no line yet", Rotation{Every: time.Hour}, at(5, 59), at(6, 0), 0, false},
		{"midnight of the place", Rotation{Every: 24 * time.Hour}, at(0, 1), at(23, 59), 1, false},
		{"the day after", Rotation{Every: 24 * time.Hour}, at(23, 59), at(24, 0), 1, true},
		{"the clock was put back", Rotation{Every: time.Hour}, at(6, 0), at(5, 0), 1, false},
		{"too large", Rotation{Size: 100}, at(5, 0), at(5, 0), 100, true},
		{"not yet", Rotation{Every: time.Hour, Size: 100}, at(5, 0), at(5, 0), 99, false},
	} {
		if got := c.by.due(c.opened, c.size, c.now); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// rotateTest gives the log x of d a new file, as one that was begun at opened.
func rotateTest(t *testing.T, d *Dir, opened time.Time) Turn {
	t.Helper()
	turn, due, err := d.Due("x", Rotation{Size: 1}, time.Now())
	if err != nil || !due {
		t.Fatalf("due: %v, %v", due, err)
	}
	if age := time.Since(turn.Opened); age < -time.Second || age > time.Minute {
		t.Errorf("begun %s ago", age)
	}
	turn.Opened = opened
	if err := d.Rotate(turn); err != nil {
		t.Fatal(err)
	}
	return turn
}

func TestRotate(t *testing.T) {
	d, path := openTestDir(t)
	dir := filepath.Dir(path)
	if turn, due, err := d.Due("x", Rotation{Every: time.Second, Size: 1}, time.Now().Add(time.Hour)); due || err != nil {
		t.Errorf("a log that is not there is due: %v, %v", turn, err)
	}
	opened := time.Date(2026, 11, 21, 5, 0, 0, 0, time.Local)
	mustAppend(t, d, Position{}, first)
	turn := rotateTest(t, d, opened)
	mustAppend(t, d, Position{}, second)
	if err := d.Rotate(turn); err != nil { // again, as after a crash
		t.Fatal(err)
	}
	wantFile(t, path, string(second))
	wantFile(t, filepath.Join(dir, "x.2026-11-21-05-00-00.log"), string(first))
	// Twice in a second, and the first is packed already.
	if err := os.Rename(filepath.Join(dir, "x.2026-11-21-05-00-00.log"), filepath.Join(dir, "x.2026-11-21-05-00-00.log.gz")); err != nil {
		t.Fatal(err)
	}
	rotateTest(t, d, opened)
	wantFile(t, filepath.Join(dir, "x.2026-11-21-05-00-01.log"), string(second))
	if err := d.Rotate(turn); err != nil { // there is no live file now
		t.Fatal(err)
	}
	if err := d.Sync(); err != nil {
		t.Fatal(err)
	}
}

func TestFilesOfALog(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{
		"conn.log", "conn.2026-11-21-06-00-00.log", "conn.2026-11-21-05-00-00.log.gz", "conn.2026-11-21-06-00-00.log.gz", "conn.2026-11-21-04-00-00.log.gz.tmp",
		"open_conn.2026-11-21-06-00-00.log", "conn.log.1", "conn.2026-13-21-05-00-00.log", "conn.x.log",
	} {
		write(t, filepath.Join(dir, name), "")
	}
	if err := os.Mkdir(filepath.Join(dir, "conn.2026-11-21-07-00-00.log"), 0o755); err != nil {
		t.Fatal(err)
	}
	got, err := Files(dir, "conn")
	for i := range got {
		got[i] = filepath.Base(got[i])
	}
	// What is there twice counts as it was before it was packed.
	if want := []string{"conn.2026-11-21-05-00-00.log.gz", "conn.2026-11-21-06-00-00.log", "conn.log"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q (%v), want %q", got, err, want)
	}
	if got, err := Files(dir, "weird"); err != nil || len(got) != 0 {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := Files(filepath.Join(dir, "absent"), "conn"); err == nil {
		t.Error("a directory that is not there has files")
	}
}

func TestPack(t *testing.T) {
	dir := t.TempDir()
	text := strings.Repeat("{\"ts\":1}\n", 100_000)
	old, newest := filepath.Join(dir, "x.2026-11-21-05-00-00.log"), filepath.Join(dir, "x.2026-11-21-06-00-00.log")
	for _, path := range []string{old, newest, filepath.Join(dir, "x.log")} {
		write(t, path, text)
	}
	when := time.Unix(1_700_000_000, 0)
	if err := os.Chtimes(old, when, when); err != nil {
		t.Fatal(err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Pack(canceled, dir, "x"); err == nil || exists(old+".gz") || exists(old+".gz.tmp") || !exists(old) {
		t.Errorf("cut short: %v", err)
	}
	write(t, old+".gz.tmp", strings.Repeat("what a crash left", 1<<16))
	for range 2 {
		if err := Pack(t.Context(), dir, "x"); err != nil {
			t.Fatal(err)
		}
	}
	if exists(old) || exists(old+".gz.tmp") || !exists(newest) || !exists(filepath.Join(dir, "x.log")) {
		t.Error("not the one file was packed that was to be")
	}
	packed, err := os.ReadFile(old + ".gz")
	if err != nil {
		t.Fatal(err)
	}
	plain, err := Unpack(old+".gz", bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(plain); err != nil || string(got) != text {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if info, err := os.Stat(old + ".gz"); err != nil || !info.ModTime().Equal(when) || info.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v", info, err)
	}
}
