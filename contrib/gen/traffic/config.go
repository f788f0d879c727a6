// Package traffic makes packets up: conversations of hosts that do not exist, in
// time order, with right checksums, the same bytes for the same Config on every
// machine. Benchmarks and tests use it in memory, the command gen writes files.
package traffic

import (
	"fmt"
	"time"
)

// Config says what to make. The zero value of every field but Kind has a default.
type Config struct {
	Kind    string    // small or mix: the name of a row of shapes
	Flows   int       // conversations open at once; default 1 000 000 (small), 100 000 (mix), fewer for few Packets
	Packets uint64    // how many in all; default 12.9 a flow (small), 17 a flow (mix)
	Seed    uint64    // other seeds make other hosts, sizes and times
	Start   time.Time // stamp of the beginning; default 2026-01-01
	Snap    int       // cut frames to so many bytes; default 65535
}

const (
	maxFlows = 1 << 26
	maxFrame = 2048
	minSnap  = 64 // link and IPv6 headers stay whole
	maxSnap  = 65535
)

// shapeOf is the row that c names, with c's defaults filled in.
func (c *Config) shapeOf() (*shape, error) {
	for i := range shapes {
		if shapes[i].name != c.Kind {
			continue
		}
		if c.Flows == 0 {
			c.Flows = shapes[i].flows
			if few := c.Packets * 10 / shapes[i].tenths; c.Packets > 0 && few < uint64(c.Flows) {
				c.Flows = int(few) + 1
			}
		}
		if c.Flows < 0 || c.Flows > maxFlows {
			return nil, fmt.Errorf("traffic: %d flows, want 1 to %d", c.Flows, maxFlows)
		}
		if c.Packets == 0 {
			c.Packets = max(1, uint64(c.Flows)*shapes[i].tenths/10)
		}
		if c.Start.IsZero() {
			c.Start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		}
		if c.Snap == 0 {
			c.Snap = maxSnap
		}
		if c.Snap < minSnap || c.Snap > maxSnap {
			return nil, fmt.Errorf("traffic: frames cut to %d bytes, want %d to %d", c.Snap, minSnap, maxSnap)
		}
		return &shapes[i], nil
	}
	return nil, fmt.Errorf("traffic: unknown kind %q", c.Kind)
}

// shape is what tells one kind of traffic from another. Shares are in percent of
// all conversations, spans are uniform.
type shape struct {
	name   string
	flows  int
	tenths uint64 // of a packet a flow, by default

	tcp, udp            uint64 // the rest is ICMP echo
	v6, vlan            uint64
	unanswered, refused uint64 // of TCP
	reset               uint64 // of TCP, instead of FINs
	stamps              uint64 // of TCP, with the timestamps option

	clients, servers uint64 // hosts to draw from

	rounds   span // requests of a TCP conversation
	request  span // bytes
	segments span // of one response
	segment  span // bytes of each but the last; the last takes request's span

	exchanges span // queries of a UDP or ICMP conversation
	query     span // bytes
	answer    span

	think span // milliseconds between requests, and between conversations
}

// span is a range of numbers, both ends included.
type span struct{ from, to uint64 }

func (s span) pick(r uint64) uint64 { return s.from + r%(s.to-s.from+1) }

// shapes are the kinds. small: what hurts a table of connections, a mean of 67
// bytes a frame and hardly two conversations of the same hosts: by default a
// million at once and two million in all, in 100 seconds; mix: a campus uplink, a
// mean of 612 bytes.
var shapes = [...]shape{
	{
		name: "small", flows: 1_000_000, tenths: 129,
		tcp: 52, udp: 38, unanswered: 4, refused: 3, reset: 5, stamps: 40,
		clients: 1 << 20, servers: 1 << 16,
		rounds: span{0, 4}, request: span{4, 26}, segments: span{1, 1}, segment: span{4, 26},
		exchanges: span{1, 8}, query: span{18, 38}, answer: span{22, 42},
		think: span{1, 44_000},
	},
	{
		name: "mix", flows: 100_000, tenths: 170,
		tcp: 74, udp: 23, v6: 10, vlan: 5, unanswered: 3, refused: 2, reset: 6, stamps: 80,
		clients: 5_000, servers: 2_000,
		rounds: span{1, 4}, request: span{40, 700}, segments: span{1, 9}, segment: span{1380, 1428},
		exchanges: span{1, 3}, query: span{28, 60}, answer: span{60, 420},
		think: span{200, 64_000},
	},
}
