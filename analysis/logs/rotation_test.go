package logs

import (
	"bytes"
	"context"
	"fmt"
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

// rotateTest gives the log x of d a new file, and is the turn and what it made of the old one.
func rotateTest(t *testing.T, d *Dir) (turn Turn, path string) {
	t.Helper()
	turn, due := d.Due("x", Rotation{Size: 1}, time.Now())
	if !due {
		t.Fatal("not due")
	}
	if age := time.Since(turn.Opened); age < -time.Second || age > time.Minute {
		t.Errorf("begun %s ago", age)
	}
	if err := d.Rotate(turn); err != nil {
		t.Fatal(err)
	}
	all, err := Files(d.path, "x")
	if err != nil || len(all) == 0 {
		t.Fatalf("%q, %v", all, err)
	}
	return turn, all[len(all)-1]
}

func TestRotate(t *testing.T) {
	d, path := openTestDir(t)
	if turn, due := d.Due("x", Rotation{Every: time.Second, Size: 1}, time.Now().Add(time.Hour)); due {
		t.Errorf("a log that is not there is due: %v", turn)
	}
	mustAppend(t, d, Position{}, first)
	turn, old := rotateTest(t, d)
	if want := "x." + turn.Opened.Local().Format("2006-01-02-15-04-05") + ".log"; filepath.Base(old) != want {
		t.Errorf("%s, want %s", old, want)
	}
	mustAppend(t, d, Position{}, second)
	if err := d.Rotate(turn); err != nil { // again, as after a crash
		t.Fatal(err)
	}
	wantFile(t, path, string(second))
	wantFile(t, old, string(first))
	if err := d.Sync(); err != nil {
		t.Fatal(err)
	}
}

// Rotated files are in the order of their lines whatever the clock did: twice in a
// second, when the first is packed already, and after the clock was put back.
func TestRotatedNamesAscend(t *testing.T) {
	d, path := openTestDir(t)
	ahead := filepath.Join(filepath.Dir(path), "x.2999-12-31-23-59-59.log.gz")
	write(t, ahead, "")
	for n := range 3 {
		mustAppend(t, d, Position{}, first)
		if _, old := rotateTest(t, d); filepath.Base(old) != fmt.Sprintf("x.3000-01-01-00-00-0%d.log", n) {
			t.Errorf("the file of turn %d is %s", n, old)
		}
	}
}

// Nothing is overwritten, whatever has the names: a link, a directory, the end of time.
func TestRotationOverwritesNothing(t *testing.T) {
	d, path := openTestDir(t)
	dir := filepath.Dir(path)
	write(t, filepath.Join(dir, "x.9999-12-31-23-59-59.log"), "")
	mustAppend(t, d, Position{}, first)
	turn, _ := d.Due("x", Rotation{Size: 1}, time.Now())
	at := func(seconds int) string {
		stamp := turn.Opened.Local().Add(time.Duration(seconds) * time.Second)
		return filepath.Join(dir, "x."+stamp.Format("2006-01-02-15-04-05")+".log")
	}
	if err := os.Mkdir(at(0), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere", at(1)); err != nil {
		t.Fatal(err)
	}
	write(t, at(2)+".gz", "")
	if err := d.Rotate(turn); err != nil {
		t.Fatal(err)
	}
	wantFile(t, at(3), string(first))
}

// What is not a file under its own name is not rotated: somebody meant it so.
func TestLinksAreNotRotated(t *testing.T) {
	d, path := openTestDir(t)
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	write(t, elsewhere, string(first))
	if err := os.Symlink(elsewhere, path); err != nil {
		t.Fatal(err)
	}
	if turn, due := d.Due("x", Rotation{Size: 1}, time.Now()); due {
		t.Errorf("a link is due: %v", turn)
	}
}

// An inode may serve again: a turn is done when the file is another one.
func TestTurnOfAnInodeThatServesAgain(t *testing.T) {
	d, path := openTestDir(t)
	mustAppend(t, d, Position{}, first)
	turn, _ := d.Due("x", Rotation{Size: 1}, time.Now())
	if _, known := d.born("x"); !known {
		t.Skip("the file system does not know when files were made")
	}
	turn.Opened = turn.Opened.Add(-time.Hour)
	if err := d.Rotate(turn); err != nil {
		t.Fatal(err)
	}
	wantFile(t, path, string(first))
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
	if err := os.Mkdir(filepath.Join(dir, "x.2026-11-21-04-00-00.log.gz.tmp"), 0o755); err != nil {
		t.Fatal(err)
	}
	stuck := filepath.Join(dir, "x.2026-11-21-04-00-00.log")
	write(t, stuck, text)
	if err := Pack(canceled, dir, "x"); err == nil || exists(old+".gz") || exists(old+".gz.tmp") || !exists(old) {
		t.Errorf("cut short: %v", err)
	}
	write(t, old+".gz.tmp", strings.Repeat("what a crash left", 1<<16))
	for range 2 { // one that cannot be packed does not hold up the others
		if err := Pack(t.Context(), dir, "x"); err == nil || !strings.Contains(err.Error(), "04-00-00") || strings.Contains(err.Error(), "05-00-00") {
			t.Fatal(err)
		}
	}
	if !exists(stuck) || exists(old) || exists(old+".gz.tmp") || !exists(newest) || !exists(filepath.Join(dir, "x.log")) {
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
