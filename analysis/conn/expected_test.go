package conn

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pcapdir/source/packet"
	"pcapdir/source/snap"
)

// invite is a packet of b's that asks a to connect.
func invite(a, b packet.Addr, port uint16, at packet.Time) *packet.Packet {
	p := &packet.Packet{Proto: packet.TCP, Src: b, Dst: a, Eff: at}
	p.SetDataPort(port)
	return p
}

func TestExpected(t *testing.T) {
	a, b := packet.AddrFrom4([4]byte{10, 0, 0, 1}), packet.AddrFrom4([4]byte{10, 0, 0, 2})
	const noon = packet.Time(1_780_000_000e9)
	want := func(e *Expected, at packet.Time, port uint16, has bool) {
		t.Helper()
		if got := e.has(&a, &b, port, at); got != has {
			t.Errorf("port %d, %v after: %v", port, at.Sub(noon), got)
		}
	}
	want(nil, noon+1, 1, false)
	var e Expected
	e.Forget(-packet.MaxTime)
	want(&e, noon+1, 1, false)
	e.Note(invite(a, b, 1, noon))
	e.Note(invite(a, b, 1, noon)) // sent again
	e.Note(invite(a, b, 2, noon.Add(time.Minute)))
	check := func(e *Expected) {
		t.Helper()
		want(e, noon, 1, false) // not before it can have been heard
		want(e, noon+1, 1, true)
		want(e, noon.Add(5*time.Minute), 1, true)
		want(e, noon.Add(5*time.Minute)+1, 1, false)
		want(e, noon+1, 2, false)
		want(e, noon.Add(6*time.Minute), 2, true)
		if e.has(&b, &a, 1, noon+1) {
			t.Error("the other way round")
		}
	}
	check(&e)
	for _, now := range []packet.Time{-packet.MaxTime, noon, noon.Add(5 * time.Minute)} {
		e.Forget(now)
		check(&e)
	}
	var saved bytes.Buffer
	w := snap.NewWriter(&saved)
	e.Save(w, noon.Add(time.Minute))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var again Expected
	r := snap.NewReader(&saved, int64(saved.Len()))
	if again.Load(r); r.End() != nil {
		t.Fatal(r.End())
	}
	check(&again)
	e.Forget(noon.Add(5*time.Minute+expectedSlice) + 1)
	want(&e, noon+1, 1, false)
	want(&e, noon.Add(6*time.Minute), 2, true)
	if e.Forget(packet.MaxTime); len(e.slices) != 0 || len(e.by) != 0 {
		t.Errorf("%d are left", len(e.by))
	}
}

// Of too many those that came first are kept, whoever noted them first, and whatever was
// forgotten meanwhile.
func TestExpectedAreTheFirst(t *testing.T) {
	const some = 3 * maxExpected / 2
	const noon = packet.Time(1_780_000_000e9)
	all := make([]*packet.Packet, 0, 2*some)
	for n := range some {
		at := noon.Add(time.Duration(n/3) * time.Millisecond)
		a, b := packet.AddrFrom4([4]byte{10, 0, 0, byte(n % 3)}), packet.AddrFrom4([4]byte{10, 0, 1, byte(n % 7)})
		all = append(all, invite(a, b, 1+uint16(n%5), at), invite(a, b, 1+uint16(n%5), at.Add(6*time.Minute)))
	}
	known := func(order []int) (kept []bool, lost int) {
		var e Expected
		for i, n := range order {
			if i%1000 == 999 {
				e.Forget(noon)
			}
			if !e.Note(all[n]) {
				lost++
			}
		}
		for _, p := range all {
			kept = append(kept, e.has(&p.Dst, &p.Src, p.DataPort(), p.Eff+1))
		}
		entries := 0
		for _, slice := range e.slices {
			if entries += len(slice); len(slice) > maxExpected {
				t.Errorf("%d in a slice", len(slice))
			}
		}
		if e.Forget(packet.MaxTime); len(e.by) > 0 {
			t.Errorf("%d announcements are left", len(e.by))
		}
		if entries+lost != len(all) {
			t.Errorf("%d are kept and %d lost of %d", entries, lost, len(all))
		}
		return kept, lost
	}
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	want, lost := known(order)
	if lost != len(all)-2*maxExpected {
		t.Errorf("%d are lost of %d", lost, len(all))
	}
	for seed := range uint64(3) {
		rand.New(rand.NewPCG(seed, 1)).Shuffle(len(order), func(i, k int) { order[i], order[k] = order[k], order[i] })
		if got, _ := known(order); !slices.Equal(got, want) {
			t.Error("another order keeps others")
		}
	}
}
