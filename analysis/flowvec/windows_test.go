package flowvec

import (
	"math"
	"testing"
	"time"

	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
)

// script is one packet of a hand-made conversation.
func script(at time.Duration, src, dst int, sport, dport uint16, flags packet.TCPFlags, pay uint32) packet.Packet {
	return hashed(packet.Packet{
		Eff: packet.Time(at), TS: packet.Time(at), Src: addr(src), Dst: addr(dst), SrcPort: sport, DstPort: dport,
		Proto: packet.TCP, TCPFlags: flags, TTL: 64, IPLen: 40 + pay, PayLen: pay,
	})
}

func push(w *Windows, end time.Duration, packets ...packet.Packet) {
	table := New(DefaultConfig())
	for i := range packets {
		table.Add(&packets[i], logs.UID{0: byte(i + 1)})
	}
	w.Push(packet.Time(end), []*Pane{table.ClosePane()}, true)
}

// Who began is remembered while the conversation lives, and a SYN outweighs
// who was merely heard first.
func TestOrientationIsRemembered(t *testing.T) {
	w := NewWindows(time.Minute, 5*time.Minute)
	began := func() packet.Addr {
		src, _ := read(w, time.Minute)[0].Ends()
		return src
	}
	push(w, time.Minute, script(time.Second, 7, 3, 5000, 22, packet.SYN, 0), script(2*time.Second, 3, 7, 22, 5000, packet.SYN|packet.ACK, 0))
	for m := 2; m <= 9; m += 3 { // three minutes apart: it still lives
		at := time.Duration(m-1) * time.Minute
		push(w, at+time.Minute, script(at, 3, 7, 22, 5000, packet.ACK, 10))
		if began() != addr(7) {
			t.Errorf("minute %d: the conversation turned round", m)
		}
	}
	push(w, 20*time.Minute, script(19*time.Minute, 3, 7, 22, 5000, packet.ACK, 10))
	if began() != addr(3) {
		t.Error("after a long silence it is a new conversation: the sender of its first packet began")
	}
	push(w, 21*time.Minute, script(20*time.Minute, 7, 3, 5001, 22, packet.SYN, 0))
	rows := read(w, 5*time.Minute)
	if src, dst := rows[0].Ends(); src != addr(7) || dst != addr(3) || rows[0].Service().Port() != 22 {
		t.Errorf("a SYN must outweigh the first packet: %v to %v, %v", src, dst, rows[0].Service())
	}
}

func TestWindowsCoverWhatExists(t *testing.T) {
	w := NewWindows(time.Minute, 5*time.Minute)
	push(w, time.Minute, script(0, 1, 2, 5, 80, packet.SYN, 0))
	push(w, 2*time.Minute, script(time.Minute, 1, 2, 5, 80, packet.ACK, 9))
	window := func(length time.Duration) ([]Conversation, bool) {
		_, whole := w.Window(length)
		return read(w, length), whole
	}
	if rows, whole := window(5 * time.Minute); len(rows) != 1 || whole || rows[0].sides[0].n != 2 {
		t.Errorf("two panes of five: %d rows, complete %v", len(rows), whole)
	}
	for m := 3; m <= 5; m++ {
		push(w, time.Duration(m)*time.Minute, script(time.Duration(m)*time.Minute-1, 1, 2, 5, 80, packet.ACK, 9))
	}
	rows, whole := window(5 * time.Minute)
	refs, _ := w.Window(5 * time.Minute)
	if f, _ := rows[0].Totals(); !whole || f.Packets != 5 || len(refs.UIDs(0)) != 1 {
		t.Errorf("five panes of five: complete %v, %d packets, uids %v", whole, f.Packets, refs.UIDs(0))
	}
	push(w, 8*time.Minute, script(7*time.Minute, 1, 2, 5, 80, packet.ACK, 9))
	if rows, whole = window(5 * time.Minute); whole || rows[0].sides[0].n != 3 {
		t.Errorf("a gap of two panes: complete %v, %d packets, want those of 3 panes", whole, rows[0].sides[0].n)
	}
	if rows, whole = window(time.Minute); !whole || rows[0].sides[0].n != 1 {
		t.Errorf("the last pane alone: complete %v, %d packets", whole, rows[0].sides[0].n)
	}
}

func contextOf(rows Rows, window time.Duration) *Context {
	c := NewContext()
	c.Read(rows, window)
	return c
}

// vectorOf is a feature's value for the only conversation of packets.
func vectorOf(t *testing.T, packets ...packet.Packet) map[string]float64 {
	t.Helper()
	w := NewWindows(time.Minute, time.Minute)
	push(w, time.Minute, packets...)
	rows, _ := w.Window(time.Minute)
	var v Vector
	contextOf(rows, time.Minute).Reader().Vector(0, &v)
	named := map[string]float64{}
	for j, f := range Features() {
		named[f.Name] = f.Natural(v[j])
	}
	return named
}

func TestFeaturesOfAHandMadeConversation(t *testing.T) {
	var packets []packet.Packet
	for i := range 5 { // a beacon: every ten seconds a connection of 3 packets, 100 bytes up, 50 down
		at, port := time.Duration(i)*10*time.Second, uint16(6000+i)
		packets = append(packets,
			script(at, 1, 2, port, 443, packet.SYN, 0),
			script(at+20*time.Millisecond, 2, 1, 443, port, packet.SYN|packet.ACK, 0),
			script(at+40*time.Millisecond, 1, 2, port, 443, packet.ACK|packet.PSH, 100),
			script(at+60*time.Millisecond, 2, 1, 443, port, packet.ACK|packet.PSH, 50),
			script(at+80*time.Millisecond, 1, 2, port, 443, packet.FIN|packet.ACK, 0))
	}
	got := vectorOf(t, packets...)
	for name, want := range map[string]float64{
		"s_n": 15, "s_b": 15*40 + 500, "s_rb": 10*40 + 250, "s_flows": 5, "s_ppf": 3, "s_pay": 100, "s_rpay": 50,
		"s_iat": 40.08 / 14, "active": 40.08 / 60, "log_dports": 1, "port_rarity": 0, "syn_share": 1. / 3, "fail_share": 0,
		"rst_in": 0, "weird": 0, "icmp": 0, "nratio": math.Log2(11. / 16), "bratio": math.Log2(651. / 1101),
		"beacon": math.Log(5), "regular": math.Log(6), "ttl_spread": 0, "ttl_dev": 0, "fail_fanout": 0, "fail_fanin": 0,
		"same_port_fanout": 1, "src_ports": 1, "upload": 250, "pay_cv": 0, "peak": 3,
	} {
		if math.Abs(got[name]-want) > 1e-6*(1+math.Abs(want)) {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	if len(got) != NumFeatures {
		t.Errorf("%d names for %d features", len(got), NumFeatures)
	}
}

// A scan: three targets, nobody answers, one resets.
func TestFeaturesOfAScan(t *testing.T) {
	w := NewWindows(time.Minute, time.Minute)
	push(w, time.Minute,
		script(0, 1, 2, 9, 445, packet.SYN, 0), script(1, 1, 3, 9, 445, packet.SYN, 0), script(2, 1, 4, 9, 445, packet.SYN, 0),
		script(3, 4, 1, 445, 9, packet.RST|packet.ACK, 0),
		script(4, 5, 2, 9, 80, packet.SYN, 0), script(5, 2, 5, 80, 9, packet.SYN|packet.ACK, 0), script(6, 5, 2, 9, 80, packet.ACK, 7))
	rows, _ := w.Window(time.Minute)
	c := contextOf(rows, time.Minute)
	fanout, fanin, same := featureAt(t, "fail_fanout"), featureAt(t, "fail_fanin"), featureAt(t, "same_port_fanout")
	for i := range rows.Len() {
		var v Vector
		c.Reader().Vector(i, &v)
		src, _ := c.Reader().Conversation(i).Ends()
		want := [3]float64{math.Log(4), math.Log(2), math.Log(4)}
		if src == addr(5) {
			want = [3]float64{0, 0, math.Log(2)}
		}
		if got := [3]float64{v[fanout], v[fanin], v[same]}; got != want {
			t.Errorf("from %v: %v, want %v", src, got, want)
		}
		if c.ActorAt(c.Actor(i)) != src {
			t.Errorf("from %v: fanned in", src)
		}
	}
}

func featureAt(t *testing.T, name string) int {
	for j, f := range Features() {
		if f.Name == name {
			return j
		}
	}
	t.Fatalf("no feature %s", name)
	return -1
}

// Whatever the traffic, vectors are finite.
func TestVectorsAreFinite(t *testing.T) {
	for seed := range uint64(30) {
		w := NewWindows(time.Minute, 5*time.Minute)
		for m := range 4 {
			packets := traffic(1+int(seed)*40, seed*10+uint64(m))
			for i := range packets {
				packets[i].Eff += packet.Time(m) * minute
			}
			push(w, time.Duration(m+1)*time.Minute, packets...)
		}
		for _, length := range []time.Duration{time.Minute, 5 * time.Minute} {
			rows, _ := w.Window(length)
			c := contextOf(rows, length)
			for i := range rows.Len() {
				var v Vector
				c.Reader().Vector(i, &v)
				for j, x := range v {
					if math.IsNaN(x) || math.IsInf(x, 0) {
						t.Fatalf("seed %d: %s is %v", seed, features[j].Name, x)
					}
				}
			}
		}
	}
}

func TestFeatureTable(t *testing.T) {
	seen := map[string]bool{}
	for i, f := range Features() {
		if f.Name == "" || f.Doc == "" || f.Floor <= 0 || f.value == nil || seen[f.Name] {
			t.Errorf("row %d is incomplete or repeats a name: %+v", i, f.Name)
		}
		seen[f.Name] = true
	}
}

// A flood, here of forged sources, does not make what goes on beside it rare.
func TestAFloodMakesNothingRare(t *testing.T) {
	rarity := func(flood int) float64 {
		table := New(DefaultConfig())
		add := func(p packet.Packet) { p = hashed(p); table.Add(&p, logs.UID{}) }
		for n := range 20 {
			add(packet.Packet{Src: addr(n), Dst: addr(1000), SrcPort: 5, DstPort: 53, Proto: packet.UDP, IPLen: 60})
		}
		for n := range flood {
			add(packet.Packet{Src: addr(5000 + n), Dst: addr(2000), SrcPort: 5, DstPort: 80, Proto: packet.TCP, TCPFlags: packet.SYN, IPLen: 40})
		}
		w := NewWindows(time.Minute, time.Minute)
		w.Push(minute, []*Pane{table.ClosePane()}, true)
		rows, _ := w.Window(time.Minute)
		c := NewContext()
		c.Read(rows, time.Minute)
		for i := range c.Len() {
			if c.Service(i).Port() != 53 {
				continue
			}
			var v Vector
			c.Reader().Vector(i, &v)
			for j, f := range Features() {
				if f.Name == "port_rarity" {
					return v[j]
				}
			}
		}
		return -1
	}
	if few, many := rarity(16), rarity(5000); few <= 0 || many != few {
		t.Errorf("rarity %v beside 16 attempts, %v beside 5000", few, many)
	}
}
