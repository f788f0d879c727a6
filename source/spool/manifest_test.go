package spool_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"pcapdir/source/spool"
	"pcapdir/source/spool/spooltest"
)

// far makes a capture outside the spool and returns its path.
func (r *running) far(name string, seconds ...int64) string {
	return write(r.t, r.at("far/"+name), pcap(r.t, seconds...))
}

// manifest moves one in that holds text.
func (r *running) manifest(name, text string) { r.putBytes(name+".manifest", old, []byte(text)) }

// What a manifest names is one group, read where it lies and left there, and the
// manifest goes where captures go once all of it is covered.
func TestManifest(t *testing.T) {
	for _, after := range []spool.After{spool.AfterDone, spool.AfterDelete, spool.AfterKeep} {
		runSpool(t, after, func(r *running) {
			names := []string{"b", " odd # \r", strings.Repeat("n", 255), "\xff\xfe"}
			text := "\ufeff# a comment\n\n  \n" + r.far("a", 1, 2) + "\r\n"
			for i, name := range names {
				r.far(name, int64(i), 10)
				if i != 1 {
					text += "../far/" + name + "\n"
				}
			}
			r.manifest("m", text+r.at("far/../far/b")+"\n")
			r.manifest("nul", "../far/"+names[1]+"\x00\x00../far/new\nline\x00")
			r.far("new\nline", 5, 6)
		}, func(r *running) {
			r.want(admission{0, strings.Join([]string{" odd # \r", "a", "b", "new\nline", strings.Repeat("n", 255), "\xff\xfe"}, " ")})
			r.retire()
			r.until(time.Minute)
			if got := r.got(); len(got) != 2 || got[1].files != "m.manifest[done] nul.manifest[done]" {
				t.Fatalf("%s: admitted %v", after, got)
			}
			r.retire()
			r.until(2 * time.Minute)
			if len(r.got()) != 2 || r.Status().Waiting() != 0 {
				t.Errorf("%s: admitted %v, status %+v", after, r.got(), r.Status())
			}
			for name, want := range map[string]bool{
				"far/a": true, "far/\xff\xfe": true, "in/done/a": false,
				"in/done/m.manifest": after == spool.AfterDone, "in/m.manifest": after == spool.AfterKeep,
			} {
				if r.lies(name) != want {
					t.Errorf("%s: %q lies there: %t", after, name, !want)
				}
			}
			r.quit()
			r.forget()
			r.run() // a kept manifest does not look new
			r.until(3 * time.Minute)
			r.want(admission{2 * time.Minute, ""})
		})
	}
}

// Each entry that must not or cannot be read is told; the others are read.
func TestManifestRefuses(t *testing.T) {
	runSpool(t, spool.AfterDone, func(r *running) {
		r.put("captured", old)
		r.putBytes("done/before", old, one(t))
		good := r.far("good", 1, 2)
		must(t, os.Symlink(r.at("in/done/before"), r.at("far/way-in")))
		must(t, os.Symlink(good, r.at("far/way-out")))
		must(t, syscall.Mkfifo(r.at("far/fifo"), 0o644))
		write(t, r.at("far/other.manifest"), []byte(good))
		write(t, r.at("far/broken"), []byte("no capture"))
		r.manifest("m", strings.Join([]string{
			"m.manifest", "captured", "done/before", "../far", "../far/way-in", "../far/way-out", "../far/fifo",
			"../far/other.manifest", "../far/none", "../far/good/below", "../far/" + strings.Repeat("x", 300), "../far/broken",
		}, "\n"))
	}, func(r *running) {
		r.want(admission{0, "broken(" + errText(t, "no capture") + ") good captured"})
		r.retire()
		r.until(time.Minute)
		moves := r.retire()
		if len(moves) != 1 || moves[0].Outcome != spool.Failed || !r.lies("failed/m.manifest") || !r.lies("far/broken") {
			t.Fatalf("moves %+v", moves)
		}
		reason, err := os.ReadFile(r.at("failed/m.manifest.reason"))
		must(t, err)
		for _, says := range []string{
			"m.manifest: a manifest cannot", "captured: in " + r.at("in"), "done/before: in " + r.at("in"), "../far: not a regular file: directory",
			"../far/way-in: in ", "../far/fifo: not a regular file: fifo", "../far/other.manifest: a manifest cannot", "../far/none: there is no such file",
			"../far/good/below: there is no such file", "xxx...: file name too long", "far/broken: ",
		} {
			if !strings.Contains(string(reason), says) {
				t.Errorf("%q is not in the reason %q", says, reason)
			}
		}
		if strings.Contains(string(reason), "way-out") {
			t.Errorf("a link to a good file is refused: %s", reason)
		}
	})
}

func errText(t *testing.T, content string) string {
	f, err := spool.Index(t.Context(), pool(spool.OS{}, 1), write(t, filepath.Join(t.TempDir(), "x"), []byte(content)))
	must(t, err)
	return f.Err.Error()
}

func TestNoManifest(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"garbage":   {strings.Repeat("\x01\xfe", 40_000), "not a manifest"},
		"long path": {strings.Repeat("a/", 3000), "an entry of 6000 bytes"},
		"too many":  {strings.Repeat("a\n", 1_000_001), "more than 1000000 entries"},
	} {
		runSpool(t, spool.AfterDone, func(r *running) { r.manifest("m", c.text) }, func(r *running) {
			r.retire()
			if reason, _ := os.ReadFile(r.at("failed/m.manifest.reason")); !strings.Contains(string(reason), c.says) {
				t.Errorf("%s: the reason is %q", name, reason)
			}
		})
	}
	runSpool(t, spool.AfterDone, nil, func(r *running) {
		r.quit()
		r.cfg.State = ""
		r.manifest("m", r.far("a", 1, 2))
		r.run()
		if m := r.retire(); len(m) != 1 || m[0].Outcome != spool.Failed || !strings.Contains(m[0].Reason, "no state directory") {
			t.Errorf("without a state directory: %+v", m)
		}
	})
	runSpool(t, spool.AfterDone, func(r *running) { r.manifest("empty", "# nothing\n") }, func(r *running) {
		r.want(admission{0, "empty.manifest[done]"})
	})
}

// A crash at any step has every file read once, and the manifest put away.
func TestManifestAfterACrash(t *testing.T) {
	for _, files := range []int{0, 1, 3} { // covered by the commit
		for _, crash := range []string{"after the moves", "before the moves", "between"} {
			runSpool(t, spool.AfterDone, func(r *running) {
				r.manifest("m", r.far("a", 1, 2)+"\n"+r.far("b", 3, 4)+"\n"+r.far("c", 5, 6))
			}, func(r *running) {
				r.want(admission{0, "a b c"})
				moves := r.plan()[:files]
				switch crash {
				case "after the moves":
					_, err := r.Do(moves)
					must(t, err)
				case "between": // the record was not written
					r.faults.Fail(func(op spooltest.Op, path string) error {
						if op == spooltest.Write && strings.HasPrefix(path, r.at("state")) {
							return syscall.EIO
						}
						return nil
					})
					if left, err := r.Do(moves); len(left) != files || (err == nil) != (files == 0) {
						t.Errorf("Do with a state directory that cannot be written: left %v, %v", left, err)
					}
					r.faults.Fail(nil)
				}
				r.quit()
				r.forget()
				r.run(moves...)
				want := []string{"a b c", "b c", "", "m.manifest[done]"}[files]
				r.want(admission{0, want})
				r.retire()
				r.until(time.Minute)
				r.retire()
				if !r.lies("in/done/m.manifest") || !r.lies("far/a") || len(r.got()) > 2 {
					t.Errorf("%d covered, crash %s: admitted %v", files, crash, r.got())
				}
			})
		}
	}
}

// A file that cannot be read now holds up the whole list, for it is a closed
// set; one that cannot be opened once its turn has come is tried again alone.
func TestManifestWaits(t *testing.T) {
	runSpool(t, spool.AfterDone, func(r *running) {
		r.manifest("m", r.far("a", 1, 2)+"\n"+r.far("b", 3, 4))
		r.faults.Fail(func(op spooltest.Op, path string) error {
			if op == spooltest.Open && strings.HasSuffix(path, "far/b") {
				return syscall.EACCES
			}
			return nil
		})
	}, func(r *running) {
		r.until(time.Minute)
		r.want(admission{0, ""})
		if st := r.Status(); st.Unreadable != 1 || !strings.Contains(st.Problems[0].Reason, "far/b") {
			t.Errorf("status %+v", st)
		}
		r.faults.Fail(nil)
		r.until(3 * time.Minute)
		if got := r.got(); len(got) != 2 || got[1].files != "a b" {
			t.Fatalf("admitted %v", got)
		}
		files := r.take()
		r.Return(files[1], syscall.EIO)
		_, err := r.Do([]spool.Move{r.planned(files[0])})
		must(t, err)
		r.until(5 * time.Minute)
		if got := r.got(); len(got) != 3 || got[2].files != "b" {
			t.Fatalf("admitted %v", got)
		}
		r.retire()
		r.until(6 * time.Minute)
		r.retire()
		if !r.lies("in/done/m.manifest") {
			t.Errorf("admitted %v", r.got())
		}
	})
}

// A file that a manifest names and that is still written to is read once, and
// told: reading it again would count what was there twice.
func TestManifestNamesAGrowingFile(t *testing.T) {
	runSpool(t, spool.AfterDone, func(r *running) { r.manifest("m", r.far("a", 1, 2)) }, func(r *running) {
		for n := range 4 {
			write(t, r.at("far/a"), pcap(t, make([]int64, n+3)...))
			r.retire()
			r.until(time.Duration(n+1) * time.Minute)
		}
		if got := fmtGroups(r.got()); got != "a | m.manifest[failed]" {
			t.Errorf("admitted %q", got)
		}
		if reason, _ := os.ReadFile(r.at("failed/m.manifest.reason")); !strings.Contains(string(reason), "changed from 176 to 252 bytes") {
			t.Errorf("the reason is %q", reason)
		}
	})
}

// Copies in and between lists are taken once, and what one list had read before.
func TestManifestNamesCopies(t *testing.T) {
	runSpool(t, spool.AfterDone, func(r *running) {
		r.manifest("m", r.far("a", 1, 2)+"\n"+r.far("b", 1, 2))
		r.manifest("n", r.at("far/a")+"\n"+r.far("c", 5, 6))
	}, func(r *running) {
		r.want(admission{0, "a c"})
		for n := range 5 {
			r.retire()
			r.until(time.Duration(n+1) * time.Minute)
		}
		if got := fmtGroups(r.got()[1:]); got != "a[duplicate] b[duplicate] | m.manifest[done] n.manifest[done]" {
			t.Errorf("admitted %q", got)
		}
		// The captures are moved in after all: they are known.
		must(t, os.Rename(r.at("far/b"), r.at("in/b")))
		r.until(10 * time.Minute)
		if got := r.got()[len(r.got())-1].files; got != "b[duplicate]" {
			t.Errorf("admitted %v", r.got())
		}
	})
}

// A file that a manifest names and that is a copy of one in the spool waits for
// that, and is not read also when the spool removes it.
func TestManifestNamesACopyOfASpoolFile(t *testing.T) {
	for _, after := range []spool.After{spool.AfterDone, spool.AfterDelete, spool.AfterKeep} {
		runSpool(t, after, func(r *running) {
			r.putBytes("x", old, one(t))
			r.manifest("m", r.far("copy", 1, 2, 3)+"\n")
			r.manifest("n", r.far("other", 7, 8)+"\n"+r.at("far/copy"))
		}, func(r *running) {
			r.want(admission{0, "other x"})
			for n := range 4 {
				r.retire()
				r.until(time.Duration(n+1) * time.Minute)
			}
			if got := fmtGroups(r.got()[1:]); got != "copy[duplicate] copy[duplicate] | m.manifest[done] n.manifest[done]" {
				t.Errorf("%s: admitted %q", after, got)
			}
			if !r.lies("far/copy") || r.Status().Waiting() != 0 {
				t.Errorf("%s: status %+v", after, r.Status())
			}
		})
	}
}

// What waits for a commit goes on at once when it has happened, though listing
// is due in an hour.
func TestReleaseWakesTheSpool(t *testing.T) {
	runSpool(t, spool.AfterDelete, nil, func(r *running) {
		r.quit()
		r.forget()
		r.cfg.Rescan = time.Hour
		r.putBytes("x", old, one(t))
		r.putBytes("y", old, one(t))
		r.manifest("m", r.far("a", 5, 6))
		r.run()
		r.want(admission{0, "a x"})
		r.retire()
		r.until(hold + 2*time.Second)
		r.want(admission{0, "a x"}, admission{hold, "m.manifest[done] y[duplicate]"})
	})
}

func TestWalkReadsManifests(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"far/a", "far/b", "dir/c"} {
		write(t, at(name), pcap(t, 1))
	}
	write(t, at("dir/m.manifest"), []byte("../far/a\n../far/b\n"))
	write(t, at("n.manifest"), []byte("far/none\nfar/a\nn.manifest\n"))
	files, err := spool.Walk(t.Context(), pool(spool.OS{}, 2), []string{at("n.manifest"), at("dir")})
	must(t, err)
	var got []string
	for _, f := range files {
		got = append(got, fmt.Sprintf("%s %v", f.Name, f.Err))
	}
	want := "a <nil>|n.manifest not all that it names can be read: far/none: there is no such file; n.manifest: a manifest cannot name a manifest|c <nil>|b <nil>"
	if strings.Join(got, "|") != want {
		t.Errorf("found %q, want %q", got, want)
	}
}

// A crash after any file operation of a commit's moves: what the commit covers
// is not read again, copies of it neither, and all is put away in the end.
func TestCrashAtAnyStep(t *testing.T) {
	for _, after := range []spool.After{spool.AfterDone, spool.AfterKeep} {
		step, steps := 0, 1
		for ; step < steps; step++ {
			runSpool(t, after, func(r *running) {
				r.manifest("m", r.far("a", 1, 2)+"\n"+r.far("b", 3, 4))
				r.putBytes("x", old, one(t))
				r.putBytes("y", old, one(t))
			}, func(r *running) {
				r.want(admission{0, "a b x"})
				moves := r.plan()
				r.quit()
				n := 0
				r.faults.Fail(func(spooltest.Op, string) error {
					if n++; n > step {
						return syscall.EIO
					}
					return nil
				})
				_, _ = r.Do(moves) // the crash
				if n > step {
					steps = step + 2 // there are more
				}
				r.faults.Fail(nil)
				r.forget()
				r.run(moves...)
				for n := range 3 {
					r.retire()
					r.until(time.Duration(n+1) * time.Minute)
				}
				var got []string
				for _, g := range r.got() {
					got = append(got, strings.Fields(g.files)...)
				}
				slices.Sort(got)
				if !slices.Equal(got, []string{"m.manifest[done]", "y[duplicate]"}) {
					t.Errorf("%s, crash after %d: admitted %q", after, step, got)
				}
				if r.lies("in/done/m.manifest") != (after == spool.AfterDone) || r.Status().Waiting() != 0 {
					t.Errorf("%s, crash after %d: status %+v", after, step, r.Status())
				}
			})
		}
		if step < 5 {
			t.Errorf("%s: only %d steps", after, step)
		}
	}
}
