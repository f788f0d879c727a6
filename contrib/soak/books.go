package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ledger is what the logs say, added up.
type ledger struct {
	files, notDone            int
	packets, handled, dropped uint64
	conns, evicted            uint64
	bookErrors                uint64
	cpu                       float64  // seconds
	witnesses                 []string // lines of conn.log
}

// line is what is used of the lines of spool.log and stats.log.
type line struct {
	Outcome    string          `json:"outcome"`
	Packets    uint64          `json:"packets"`
	Handled    uint64          `json:"handled"`
	Dropped    json.RawMessage `json:"dropped"` // a number in stats.log
	BookErrors uint64          `json:"book_errors"`
	Conns      uint64          `json:"conns"`
	Evicted    uint64          `json:"evicted_conns"`
	Goroutines uint64          `json:"goroutines"`
	CPU        float64         `json:"cpu"`
}

// add takes in a log.
func (l *ledger) add(log, path string) error {
	if log != "spool" && log != "stats" && log != "conn" {
		return nil
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // opened for reading
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		if log == "conn" {
			if isWitness(lines.Bytes()) {
				l.witnesses = append(l.witnesses, lines.Text()+"\n")
			}
			continue
		}
		var n line
		if err := json.Unmarshal(lines.Bytes(), &n); err != nil {
			return fmt.Errorf("%s.log: %w", log, err)
		}
		if log == "stats" {
			l.bookErrors, l.conns, l.evicted, l.cpu = l.bookErrors+n.BookErrors, l.conns+n.Conns, l.evicted+n.Evicted, l.cpu+n.CPU
			continue
		}
		if err := l.file(&n); err != nil {
			return err
		}
	}
	return lines.Err()
}

// file takes in what became of a file.
func (l *ledger) file(n *line) error {
	l.files++
	if n.Outcome != "done" {
		l.notDone++
	}
	l.packets, l.handled = l.packets+n.Packets, l.handled+n.Handled
	reasons := map[string]uint64{}
	if len(n.Dropped) > 0 {
		if err := json.Unmarshal(n.Dropped, &reasons); err != nil {
			return err
		}
	}
	for _, packets := range reasons {
		l.dropped += packets
	}
	return nil
}

// sample is what the daemon takes at one time.
type sample struct{ resident, descriptors, goroutines int }

// sample asks the kernel, and stats.log for what the kernel does not know.
func (s *soak) sample() {
	pid := strconv.Itoa(s.rig.PID())
	var n sample
	if text, err := os.ReadFile(filepath.Join("/proc", pid, "statm")); err == nil {
		if fields := strings.Fields(string(text)); len(fields) > 1 {
			pages, _ := strconv.Atoi(fields[1]) // the kernel writes numbers
			n.resident = pages * os.Getpagesize()
		}
	}
	if names, err := os.ReadDir(filepath.Join("/proc", pid, "fd")); err == nil {
		n.descriptors = len(names)
	}
	n.goroutines = s.goroutines()
	s.samples = append(s.samples, n)
}

// goroutines is what the last line of stats.log says, 0 before there is one.
func (s *soak) goroutines() int {
	text, err := os.ReadFile(s.rig.Log("stats.log"))
	if err != nil {
		return 0
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	var n line
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &n); err != nil {
		return 0
	}
	return int(n.Goroutines)
}

// What is taken is flat when the most of the last third is not much above the most of
// the second: the first is for tables that fill, and for what a start takes.
const (
	growth = 1.10
	some   = 16 // descriptors or goroutines more are no leak
	least  = 30 // samples of a third; with fewer, tables are still filling
)

// verdict prints what happened and says what is wrong with it.
func (s *soak) verdict() error {
	l := &s.ledger
	fmt.Fprintf(s.out, "%d files, %d packets, %d connections, %d of them evicted; %.1f CPU seconds, %.2f M packets per CPU second\n",
		s.files, s.sent, l.conns, l.evicted, l.cpu, float64(s.sent)/1e6/max(l.cpu, 1e-9))
	var wrong []string
	if l.files != s.files || l.notDone > 0 || l.packets != s.sent || l.handled+l.dropped != l.packets || l.bookErrors > 0 {
		wrong = append(wrong, fmt.Sprintf("spool.log has %d files (%d not done), %d packets, %d handled and %d dropped; %d book errors",
			l.files, l.notDone, l.packets, l.handled, l.dropped, l.bookErrors))
	}
	third := len(s.samples) / 3
	for _, what := range []struct {
		name  string
		value func(sample) int
		room  int
		unit  int
	}{
		{"resident MiB", func(n sample) int { return n.resident }, 16 << 20, 1 << 20},
		{"descriptors", func(n sample) int { return n.descriptors }, some, 1},
		{"goroutines", func(n sample) int { return n.goroutines }, some, 1},
	} {
		var most [3]int
		for i := range most {
			for _, n := range s.samples[i*third : (i+1)*third] {
				most[i] = max(most[i], what.value(n))
			}
		}
		fmt.Fprintf(s.out, "%-12s at most %d, %d, %d in the thirds of the time\n", what.name, most[0]/what.unit, most[1]/what.unit, most[2]/what.unit)
		if third >= least && float64(most[2]) > growth*float64(most[1])+float64(what.room) {
			wrong = append(wrong, what.name+" grow")
		}
	}
	if len(wrong) > 0 {
		return errors.New(strings.Join(wrong, "; "))
	}
	if third < least {
		fmt.Fprintln(s.out, "the books balance; it was too short to say what is flat")
	} else {
		fmt.Fprintln(s.out, "flat, and the books balance")
	}
	return nil
}
