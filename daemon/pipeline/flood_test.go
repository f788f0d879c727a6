package pipeline_test

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"testing"
	"time"

	"pcapdir/contrib/gen/traffic"
	"pcapdir/source/decode/decodetest"
	"pcapdir/source/packet"
)

// A SYN flood beyond limits.memory: every attempt has a record, those that went early
// say so, stats.log counts them, and conversations among it are whole.
func TestAFloodBeyondTheMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("300 000 connections take some seconds")
	}
	const attempts = 300_000
	out := newJob(t)
	out.cfg.Limits.Memory = 64 << 20
	logs := out.read(t, synFlood(attempts).write(t, t.TempDir(), "flood.pcap")).logs
	records, evicted, whole := 0, uint64(0), 0
	for line := range bytes.Lines(logs["conn"]) {
		var c struct {
			State   string `json:"conn_state"`
			History string `json:"history"`
			Evicted bool   `json:"evicted"`
		}
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		records++
		switch {
		case c.Evicted && c.State == "S0":
			evicted++
		case c.State == "S1" && c.History == "ShD" && !c.Evicted:
			whole++
		case c.Evicted:
			t.Errorf("gone early: %s", line)
		}
	}
	var counted uint64
	for line := range bytes.Lines(logs["stats"]) {
		var s struct {
			Evicted uint64 `json:"evicted_conns"`
		}
		if err := json.Unmarshal(line, &s); err != nil {
			t.Fatal(err)
		}
		counted += s.Evicted
	}
	if records != attempts+attempts/10_000 || whole != attempts/10_000 || evicted < attempts/2 || counted != evicted {
		t.Errorf("%d records, %d of them whole, %d evicted, %d counted", records, whole, evicted, counted)
	}
}

// synFlood is n SYNs, each from another address, a microsecond apart, and after every
// 10 000 of them a handshake and a request.
func synFlood(n int) (c capture) {
	at := packet.Unix(1_700_000_000, 0)
	add := func(ip decodetest.IP, tcp decodetest.TCP, payload string) {
		at = at.Add(time.Microsecond)
		tcp.Win = 1000
		data := decodetest.Ether(ip.TCP(tcp, []byte(payload)))
		c.recs = append(c.recs, record{TS: at, LinkType: uint16(traffic.Ethernet), Wire: uint32(len(data)), Data: data})
	}
	server := netip.MustParseAddr("10.0.0.1")
	for i := range n {
		src := netip.AddrFrom4([4]byte{172, byte(i >> 16), byte(i >> 8), byte(i)})
		add(decodetest.IP{Src: src, Dst: server}, decodetest.TCP{SrcPort: 1024, DstPort: 80, Seq: 1, Flags: uint8(packet.SYN)}, "")
		if i%10_000 != 9_999 {
			continue
		}
		there := decodetest.IP{Src: netip.AddrFrom4([4]byte{192, 168, byte(i >> 16), byte(i >> 8)}), Dst: server}
		back := decodetest.IP{Src: there.Dst, Dst: there.Src}
		add(there, decodetest.TCP{SrcPort: 2000, DstPort: 80, Seq: 1, Flags: uint8(packet.SYN)}, "")
		add(back, decodetest.TCP{SrcPort: 80, DstPort: 2000, Seq: 9, Ack: 2, Flags: uint8(packet.SYN | packet.ACK)}, "")
		add(there, decodetest.TCP{SrcPort: 2000, DstPort: 80, Seq: 2, Ack: 10, Flags: uint8(packet.ACK)}, "x")
	}
	return c
}
