package main

import (
	"bytes"
	"strings"
	"testing"
)

// A short soak: that all packets come through, for some seconds.
func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	var out bytes.Buffer
	if err := run([]string{"-minutes", "0.08", "-flows", "2000", "-packets", "20000", "-dir", t.TempDir()}, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if !strings.Contains(out.String(), "the books balance; it was too short") {
		t.Error(out.String())
	}
}

// Short floods: the memory holds, and real connections are whole.
func TestFloods(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	for _, kind := range []string{"syn", "fragments"} {
		var out bytes.Buffer
		if err := run([]string{"-flood", kind, "-total", "300000", "-packets", "50000", "-memory", "128MiB", "-dir", t.TempDir()}, &out); err != nil {
			t.Errorf("%s: %v\n%s", kind, err, out.String())
		}
	}
}

// What is wrong with a flood is seen.
func TestFloodVerdict(t *testing.T) {
	s := &soak{out: new(bytes.Buffer), options: options{memory: "100MiB"}, peak: 109 << 20}
	if err := s.bounded(); err != nil {
		t.Error(err)
	}
	s.peak = 111 << 20
	if err := s.bounded(); err == nil {
		t.Error("too much memory, and all is said to be well")
	}
	if _, err := newFlood("tsunami", 1); err == nil {
		t.Error("any kind of flood is known")
	}
	const packets = 100_000
	f, err := newFlood("syn", packets)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for range packets + 2*witnesses {
		f.Next()
		n++
	}
	if want := len(f.real); want != 0 {
		t.Errorf("%d packets of real connections are left behind %d", want, n)
	}
}

// What is wrong is seen.
func TestVerdict(t *testing.T) {
	flat := func() *soak {
		s := &soak{out: new(bytes.Buffer), files: 2, sent: 10}
		s.ledger = ledger{files: 2, packets: 10, handled: 9, dropped: 1}
		for range 3 * least {
			s.samples = append(s.samples, sample{100 << 20, 20, 30})
		}
		return s
	}
	if err := flat().verdict(); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(s *soak){
		"a packet is missing": func(s *soak) { s.ledger.handled-- },
		"a file is missing":   func(s *soak) { s.ledger.files-- },
		"a file failed":       func(s *soak) { s.ledger.notDone++ },
		"a book error":        func(s *soak) { s.ledger.bookErrors++ },
		"memory grows":        func(s *soak) { s.samples[3*least-1].resident *= 2 },
		"descriptors leak":    func(s *soak) { s.samples[3*least-2].descriptors += 50 },
		"goroutines leak":     func(s *soak) { s.samples[3*least-1].goroutines += 50 },
	} {
		s := flat()
		spoil(s)
		if err := s.verdict(); err == nil {
			t.Errorf("%s, and all is said to be well", name)
		}
	}
}
