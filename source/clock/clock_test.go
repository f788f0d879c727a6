package clock

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pcapdir/source/packet"
)

// now is the wall clock of these tests.
var now = packet.Time(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixNano())

var latest = now.Add(24 * time.Hour)

// verdict is what becomes of one record.
type verdict struct {
	t       packet.Time
	suspect bool
}

// judge takes all stamps through a clock.
func judge(stamps []packet.Time) []verdict { return through(New(latest), stamps) }

func through(c *Clock, stamps []packet.Time) (all []verdict) {
	for _, t := range stamps {
		if c.Sure(t) {
			all = append(all, verdict{t, false})
			continue
		}
		c.Add(t)
		for v, suspect, ok := c.Next(false); ok; v, suspect, ok = c.Next(false) {
			all = append(all, verdict{v, suspect})
		}
	}
	for v, suspect, ok := c.Next(true); ok; v, suspect, ok = c.Next(true) {
		all = append(all, verdict{v, suspect})
	}
	return all
}

// definition is the rules of Clock as they are written, on all stamps at once:
// for each record in turn it looks at the whole file.
func definition(stamps []packet.Time) []verdict {
	all := make([]verdict, len(stamps))
	left := -1 // the last record that is believed
	believe := func(i int) { all[i] = verdict{stamps[i], false}; left = i }
	for i := 0; i < len(stamps); {
		t := stamps[i]
		if left >= 0 && near(t, stamps[left]) { // 1
			believe(i)
			i++
			continue
		}
		if left >= 0 && Wild(t, latest) && !Wild(stamps[left], latest) { // 2
			all[i] = verdict{stamps[left], true}
			i++
			continue
		}
		if right := returns(stamps, left, i); right >= 0 { // 3
			if near(t, stamps[right]) {
				believe(i)
			} else {
				all[i] = verdict{stamps[left], true}
			}
			i++
			continue
		}
		of := stamps[i:min(i+Opening, len(stamps))] // 4
		believed := i + openingOf(of)
		for ; i < believed; i++ {
			all[i] = verdict{stamps[believed] - 1, true}
		}
		believe(i)
		i++
	}
	return all
}

// returns is the first record behind i, within reach, that is near left; or -1.
func returns(stamps []packet.Time, left, i int) int {
	for right := i + 1; left >= 0 && right < min(i+lookahead, len(stamps)); right++ {
		if near(stamps[right], stamps[left]) {
			return right
		}
	}
	return -1
}

func openingOf(of []packet.Time) int {
	var tame []int
	for i, t := range of {
		if !Wild(t, latest) {
			tame = append(tame, i)
		}
	}
	if len(tame) == 0 {
		for i := range of {
			tame = append(tame, i)
		}
	}
	firm := tame[0]
	for k := len(tame) - 1; k >= 0; k-- {
		for _, later := range tame[k+1:] {
			if near(of[tame[k]], of[later]) {
				firm = tame[k]
			}
		}
	}
	for _, i := range tame {
		if of[i] <= of[firm] || near(of[i], of[firm]) {
			return i
		}
	}
	return firm
}

// odd are offsets that make stamps doubtful, or nearly so.
var odd = []time.Duration{
	-tolerance - 1, -tolerance, tolerance, tolerance + 1, -2 * time.Hour, 2 * time.Hour, -90 * time.Minute, 90 * time.Minute,
	-48 * time.Hour, 48 * time.Hour, 80 * 365 * 24 * time.Hour, -56 * 365 * 24 * time.Hour, -time.Duration(now),
}

// script is a random file: runs of one clock, with stamps out of place, clocks
// that are set, gaps, and runs of wrong stamps.
func script(r *rand.Rand) (stamps []packet.Time) {
	at, off, left := now, time.Duration(0), 0
	for range r.IntN(120) {
		at = at.Add(time.Duration(r.IntN(20)) * time.Second)
		switch r.IntN(25) {
		case 0:
			at = at.Add(odd[r.IntN(len(odd)-3)]) // for good
		case 1:
			off, left = odd[r.IntN(len(odd))], 1+r.IntN(lookahead+2) // for a while
		}
		if left--; left < 0 {
			off = 0
		}
		stamps = append(stamps, at.Add(off))
	}
	return stamps
}

func TestClockIsTheDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	suspects := 0
	for range 20_000 {
		stamps := script(r)
		got, want := judge(stamps), definition(stamps)
		if !slices.Equal(got, want) {
			t.Fatalf("stamps %v:\ngot  %v\nwant %v", stamps, got, want)
		}
		for _, v := range got {
			if v.suspect {
				suspects++
			}
		}
	}
	if suspects < 1000 {
		t.Errorf("only %d suspect records: little is tested", suspects)
	}
}

func FuzzClock(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x01\x7f\xff\xff\xff\xff\xff\xff\xff\x80\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var stamps []packet.Time
		for ; len(b) >= 8; b = b[8:] {
			stamps = append(stamps, packet.Time(binary.BigEndian.Uint64(b)))
		}
		if got, want := judge(stamps), definition(stamps); !slices.Equal(got, want) {
			t.Fatalf("stamps %v:\ngot  %v\nwant %v", stamps, got, want)
		}
	})
}

// at makes stamps of hours after now; 1970 is the epoch.
func at(hours ...float64) (stamps []packet.Time) {
	for i, h := range hours {
		switch {
		case h == 1970:
			stamps = append(stamps, packet.Time(i))
		default:
			stamps = append(stamps, now.Add(time.Duration(h*float64(time.Hour))).Add(time.Duration(i)))
		}
	}
	return stamps
}

const year2106 = 80 * 365 * 24.0

func TestVerdicts(t *testing.T) {
	run := func(h float64, n int) []float64 { return slices.Repeat([]float64{h}, n) }
	for _, c := range []struct {
		name   string
		stamps []float64
		want   string // a letter for each record: b is believed, s suspect
	}{
		{"in order", []float64{0, 0, .5, 1, 1}, "bbbbb"},
		{"one ahead", []float64{0, 2, 0}, "bsb"},
		{"one behind", []float64{0, -2, 0}, "bsb"},
		{"one less than an hour ahead of the next", []float64{0, 1.5, .7}, "bbb"},
		{"several, apart from each other", []float64{0, 2, -5, 9, 0}, "bsssb"},
		{"several, near each other", []float64{0, 3, 3, 3, 3, 3, 0}, "bsssssb"},
		{"bad and good by turns", []float64{0, 2, 0, 2, 0, 2, 0}, "bsbsbsb"},
		{"as many as are looked at", slices.Concat(run(0, 1), run(2, lookahead-1), run(0, 1)), "b" + letters('s', lookahead-1) + "b"},
		{"one more: the clock was set, and set back", slices.Concat(run(0, 1), run(2, lookahead), run(0, 1)), letters('b', lookahead+2)},
		{"the clock was set back", slices.Concat(run(0, 3), run(-2, 40)), letters('b', 43)},
		{"a gap", slices.Concat(run(0, 3), run(8, 40)), letters('b', 43)},
		{"one ahead where the clock was set", slices.Concat(run(0, 3), run(20, 1), run(-2, 40)), "bbbs" + letters('b', 40)},
		{"records hours apart", []float64{0, 2, 4, 6, 8, 10, 12}, "bbbbbbb"},

		{"the first ahead", []float64{2, 0, 0, 0, 0}, "sbbbb"},
		{"the first two ahead, apart", []float64{9, 2, 0, 0, 0}, "ssbbb"},
		{"the first before a gap", []float64{0, 3, 3, 3, 3}, "bbbbb"},
		{"the first two before gaps", []float64{0, 3, 6, 6, 6}, "bbbbb"},
		{"the first of 1970", []float64{1970, 0, 0, 0}, "sbbb"},
		{"three of 1970", []float64{1970, 1970, 1970, 0, 0}, "sssbb"},
		{"the first of 2106", []float64{year2106, 0, 0, 0}, "sbbb"},
		{"two records, the first wild", []float64{year2106, 0}, "sb"},
		{"two records, both fine", []float64{2, 0}, "bb"},

		{"the last ahead", []float64{0, 0, 2}, "bbb"},
		{"the last wild", []float64{0, 0, year2106, 1970}, "bbss"},
		{"a run of wild ones of any length", slices.Concat(run(0, 1), run(year2106, 99), run(0, 1)), "b" + letters('s', 99) + "b"},
		{"nothing but wild ones", slices.Concat(run(1970, 30), run(year2106, 30)), letters('b', 60)},
		{"more wild ones than the opening", slices.Concat(run(1970, 10), run(0, 30)), letters('b', 40)},
		{"one", []float64{year2106}, "b"},
	} {
		var got []byte
		for _, v := range judge(at(c.stamps...)) {
			letter := byte('b')
			if v.suspect {
				letter = 's'
			}
			got = append(got, letter)
		}
		if string(got) != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func letters(c byte, n int) string { return string(slices.Repeat([]byte{c}, n)) }

// A capture in order, but for the reorder window, has no suspect stamp, nor has
// any part of it: else how it is cut would show.
func TestOrderIsNeverSuspect(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	gaps := []time.Duration{0, time.Second, tolerance - time.Minute, tolerance, tolerance + 1, tolerance + time.Minute, 5 * time.Hour}
	for range 20_000 {
		var stamps []packet.Time
		at := now.Add(-1000 * time.Hour)
		for range r.IntN(60) {
			at = at.Add(gaps[r.IntN(1+r.IntN(len(gaps)))])
			stamps = append(stamps, at.Add(time.Duration(r.Int64N(int64(time.Minute)))))
		}
		for _, v := range judge(stamps) {
			if v.suspect {
				t.Fatalf("suspect at %v in %v", v.t, stamps)
			}
		}
	}
}

// The index and the reader agree on where a file begins.
func TestFirstIsWhereTheClockBegins(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 20_000 {
		stamps := script(r)
		if len(stamps) == 0 {
			continue
		}
		first := First(stamps[:min(len(stamps), Opening)], latest)
		for _, v := range judge(stamps) {
			if !v.suspect {
				if first > v.t || !near(first, v.t) {
					t.Fatalf("first is %v, the first that is believed %v, of %v", first, v.t, stamps)
				}
				break
			}
		}
	}
}

// Behind any record that is believed, a clock that is told its stamp comes to the
// same verdicts as the one that saw all before.
func TestResume(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for range 2000 {
		stamps := script(r)
		want := judge(stamps)
		for i, v := range want {
			if v.suspect {
				continue
			}
			c := New(latest)
			c.Resume(v.t)
			if got := through(c, stamps[i+1:]); !slices.Equal(got, want[i+1:]) {
				t.Fatalf("behind %d of %v:\ngot  %v\nwant %v", i, stamps, got, want[i+1:])
			}
		}
	}
}

func TestClockAllocatesNothing(t *testing.T) {
	c := New(latest)
	stamps := script(rand.New(rand.NewPCG(7, 8)))
	if n := testing.AllocsPerRun(10, func() {
		for _, t := range stamps {
			if !c.Sure(t) {
				c.Add(t)
				for _, _, ok := c.Next(false); ok; _, _, ok = c.Next(false) {
				}
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations per file", n)
	}
}
