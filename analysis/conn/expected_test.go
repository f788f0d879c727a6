package conn

import (
	"bytes"
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
	e.Forget(noon.Add(5*time.Minute) + 1)
	want(&e, noon+1, 1, false)
	want(&e, noon.Add(6*time.Minute), 2, true)
	if e.Forget(packet.MaxTime); e.n != 0 || len(e.by) != 0 || e.some.Load() {
		t.Errorf("%d are left", e.n)
	}
	for n := range maxExpected + 10 {
		e.Note(invite(a, b, uint16(n), noon.Add(time.Duration(n))))
	}
	if e.n != maxExpected {
		t.Errorf("%d are kept", e.n)
	}
}
