package spool_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pcapdir/source/spool"
)

// one is a capture that spans more than the window.
func one(t testing.TB) []byte { return pcap(t, 1, 2, 3) }

// lies says whether something has that name.
func (r *running) lies(name string) bool {
	_, err := os.Lstat(r.at(name))
	return err == nil
}

// Copies and hard links of a capture are taken once, whether they come together,
// while it is read or later, whatever becomes of files that were read; and a
// symbolic link is refused, as ever.
func TestCopiesAreTakenOnce(t *testing.T) {
	for _, after := range []spool.After{spool.AfterDone, spool.AfterDelete, spool.AfterKeep} {
		runSpool(t, after, func(r *running) {
			r.putBytes("b", old, one(t))
			r.putBytes("a", old, one(t))
			must(t, os.Link(r.at("in/b"), r.at("in/c")))
			must(t, os.Symlink("b", r.at("in/d")))
		}, func(r *running) {
			r.want(admission{0, "a d(not a regular file: symbolic link)"})
			r.putBytes("e", old, one(t)) // while it is read
			r.until(time.Minute)
			if st := r.Status(); st.Grouped != 3 || len(r.got()) != 1 {
				t.Errorf("%s: status %+v, admitted %v", after, st, r.got())
			}
			r.retire()
			r.until(2 * time.Minute)
			if got := r.got(); len(got) != 2 || got[1].files != "b[duplicate] c[duplicate] e[duplicate]" {
				t.Fatalf("%s: admitted %v", after, got)
			}
			moves := r.retire()
			for _, m := range moves {
				if !strings.Contains(m.Reason, "/a") {
					t.Errorf("%s: the reason %q does not name the original", after, m.Reason)
				}
			}
			for _, name := range []string{"a", "b", "c", "e"} {
				done, kept := r.lies("in/done/"+name), r.lies("in/"+name)
				if done != (after == spool.AfterDone) || kept != (after == spool.AfterKeep) {
					t.Errorf("%s: %s: in done %t, in the spool %t", after, name, done, kept)
				}
			}
			r.putBytes("f", old, one(t)) // after it was read
			r.until(3 * time.Minute)
			want := "f[duplicate]"
			if after == spool.AfterDelete {
				want = "f" // nothing is there to compare it with
			}
			if got := r.got(); len(got) != 3 || got[2].files != want {
				t.Errorf("%s: admitted %v", after, got)
			}
		})
	}
}

// Pieces of one capture may hold the same bytes where all their packets have
// one instant, or lie within its disorder: those are never skipped.
func TestPiecesThatLookAlikeAreRead(t *testing.T) {
	runSpool(t, spool.AfterDone, func(r *running) {
		r.putBytes("a", old, pcap(t, 1, 1))
		r.putBytes("b", old, pcap(t, 1, 1))
		r.putBytes("c", old, pcap(t))
		r.putBytes("d", old, pcap(t))
	}, func(r *running) {
		r.want(admission{0, "a b c d"})
		r.retire()
		r.putBytes("e", old, pcap(t, 1, 1))
		r.until(time.Minute)
		r.want(admission{0, "a b c d"}, admission{12 * time.Second, "e"})
	})
}

// The content id is a hint: what differs between the ends is another capture.
func TestSameEndsAreNoCopy(t *testing.T) {
	long := make([]int64, 5000)
	for i := range long {
		long[i] = int64(i)
	}
	a := pcap(t, long...)
	b := append([]byte(nil), a...)
	b[len(b)/2] ^= 1
	runSpool(t, spool.AfterDone, func(r *running) {
		r.putBytes("a", old, a)
		r.putBytes("b", old, b)
	}, func(r *running) {
		r.want(admission{0, "a b"})
		r.retire()
		r.putBytes("c", old, a)
		r.until(time.Minute)
		if got := r.got(); len(got) != 2 || got[1].files != "c" {
			// b was read last and is what c is compared with.
			t.Errorf("admitted %v", got)
		}
	})
}

// Where the original is gone, or was never read, the copy is.
func TestCopyWithoutAnOriginalIsRead(t *testing.T) {
	runSpool(t, spool.AfterDone, func(r *running) {
		r.putBytes("a", old, one(t))
		r.putBytes("b", old, one(t))
	}, func(r *running) {
		for _, f := range r.take() {
			r.Return(f, os.ErrPermission) // it cannot be opened after all
		}
		r.until(time.Minute)
		if got := fmtGroups(r.got()[1:]); got != "a" && got != "b" {
			t.Fatalf("admitted %v", r.got())
		}
		r.retire()
		r.until(2 * time.Minute)
		r.retire()
		for _, name := range []string{"a", "b"} {
			must(t, os.Rename(r.at("in/done/"+name), r.at("in/"+name))) // moved back: to be read anew
		}
		r.forget()
		r.until(3 * time.Minute)
		if got := fmtGroups(r.got()); got != "a" {
			t.Errorf("moved back: admitted %v", r.got())
		}
	})
}

// An identical file in the place of the original is not the original: of that
// nothing is left to compare with.
func TestOriginalThatWasReplacedIsNone(t *testing.T) {
	runSpool(t, spool.AfterKeep, func(r *running) { r.putBytes("a", old, one(t)) }, func(r *running) {
		r.retire()
		r.putBytes("a", old, one(t))
		r.until(time.Minute)
		if got := fmtGroups(r.got()); got != "a | a" {
			t.Errorf("admitted %q", got)
		}
	})
}

func fmtGroups(groups []admission) string {
	var all []string
	for _, g := range groups {
		all = append(all, g.files)
	}
	return strings.Join(all, " | ")
}

// What was read is remembered over restarts, wherever a crash fell: a copy is
// not read, and a file that stays does not look new.
func TestMemoryOfWhatWasRead(t *testing.T) {
	for _, after := range []spool.After{spool.AfterDone, spool.AfterDelete, spool.AfterKeep} {
		for _, crash := range []string{"after the moves", "before the moves"} {
			runSpool(t, after, func(r *running) {
				r.putBytes("a", old, one(t))
				r.putBytes("b", old, one(t))
			}, func(r *running) {
				moves := r.plan()
				if crash == "after the moves" {
					_, err := r.Do(moves)
					must(t, err)
				}
				r.quit()
				r.forget()
				r.run(moves...)
				want := "b[duplicate]"
				switch {
				case after == spool.AfterKeep && crash == "before the moves":
					want = "b[duplicate]"
				case after == spool.AfterDelete && crash == "before the moves":
					want = "b" // that it is a copy was not written down, and a is gone
				}
				if got := fmtGroups(r.got()); got != want {
					t.Fatalf("%s, crash %s: admitted %q, want %q", after, crash, got, want)
				}
				r.retire()
				r.quit()
				r.forget()
				r.run()
				r.until(time.Minute)
				if got := fmtGroups(r.got()); got != "" {
					t.Errorf("%s, crash %s: admitted again: %q", after, crash, got)
				}
			})
		}
	}
}

func TestDuplicatesCanBeRead(t *testing.T) {
	runSpool(t, spool.AfterDone, nil, func(r *running) {
		r.quit()
		r.forget()
		r.cfg.ReadDuplicates = true
		r.putBytes("a", old, one(t))
		r.putBytes("b", old, one(t))
		r.run()
		r.want(admission{0, "a b"})
	})
}

func TestSkipCopies(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	write(t, at("a"), one(t))
	write(t, at("b"), one(t))
	write(t, at("c.gz"), gz(t, one(t))) // the same packets, other bytes: no copy
	write(t, at("d.gz"), gz(t, one(t)))
	write(t, at("e"), pcap(t, 1, 1))
	write(t, at("f"), pcap(t, 1, 1))
	must(t, os.Link(at("e"), at("g")))
	write(t, at("h"), []byte("no capture"))
	write(t, at("i"), []byte("no capture"))
	d := pool(spool.OS{}, 1)
	files, err := spool.Walk(t.Context(), d, []string{dir})
	must(t, err)
	must(t, spool.SkipCopies(t.Context(), d, 100*time.Millisecond, files))
	var got []string
	for _, f := range files {
		if f.Verdict.Outcome == spool.Duplicate {
			got = append(got, f.Name+" "+f.Verdict.Reason)
		}
	}
	want := []string{"b the same bytes as " + at("a"), "d.gz the same bytes as " + at("c.gz"), "g the same bytes as " + at("e")}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("duplicates %q, want %q", got, want)
	}
}
