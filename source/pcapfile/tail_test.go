package pcapfile_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"pcapdir/source/packet"
	"pcapdir/source/pcapfile"
	"pcapdir/source/pcapfile/pcaptest"
)

// lastByTail reads the first record and what a boundary in the last n bytes leads
// to, and returns the greatest stamp there.
func lastByTail(t testing.TB, capture []byte, n int) (last packet.Time, ok bool) {
	r, err := pcapfile.NewReader(bytes.NewReader(capture), 0)
	if err != nil {
		return 0, false
	}
	var rec pcapfile.Record
	if r.Next(&rec) != nil {
		return 0, false
	}
	tail, ok := r.Tail(bytes.NewReader(capture), r.Offset(), int64(len(capture)), n)
	if !ok {
		return 0, false
	}
	again, err := pcapfile.NewReader(tail, 0)
	if err != nil {
		t.Fatalf("the header was read before: %v", err)
	}
	recs, err := pcaptest.Rest(again)
	for _, rec := range recs {
		last = max(last, rec.TS)
	}
	return last, err == nil && len(recs) > 0
}

// From the end or from the start, the last stamp is the same.
func TestBoundary(t *testing.T) {
	want := mixed(300, 1)
	rnd := rand.New(rand.NewPCG(3, 3))
	known := 0
	for _, c := range containers() {
		capture := c.bytes(t, want)
		for range 50 {
			n := 1000 + rnd.IntN(10_000)
			last, ok := lastByTail(t, capture, n)
			if ok && last != want[len(want)-1].TS {
				t.Errorf("%s, the last %d bytes: %d, want %d", c.name, n, last, want[len(want)-1].TS)
			}
			if ok {
				known++
			} else if c.format == "pcap" {
				t.Errorf("%s, the last %d bytes: no boundary", c.name, n)
			}
		}
	}
	if known < 50*len(containers())/2 {
		t.Errorf("the end is known in %d cases of %d", known, 50*len(containers()))
	}
}

// A capture that carries captures does not confuse it.
func TestBoundaryInACaptureOfCaptures(t *testing.T) {
	inner := pcap("", pcaptest.PcapOptions{}).bytes(t, uniform(20, 30))
	recs := uniform(40, 0)
	for i := range recs {
		recs[i].Data, recs[i].TS = append(make([]byte, 16*(i%4)), inner[24:]...), packet.Unix(2e9+int64(i), 0)
		recs[i].Wire = uint32(len(recs[i].Data))
	}
	capture := pcap("", pcaptest.PcapOptions{}).bytes(t, recs)
	for n := 2000; n < len(capture); n += 37 {
		if last, ok := lastByTail(t, capture, n); !ok || last != recs[39].TS {
			t.Errorf("the last %d bytes: %v, %v", n, last.UTC(), ok)
		}
	}
}

// Whatever the bytes: no panic, and a place inside of them.
func FuzzBoundary(f *testing.F) {
	recs := mixed(5, 1)
	for _, c := range containers() {
		if b := c.bytes(f, recs); len(b) < 1<<16 {
			f.Add(b, 100)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		_, _ = lastByTail(t, b, max(0, n))
	})
}
