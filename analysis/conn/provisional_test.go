package conn_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pcapdir/analysis/conn"
	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
)

// A connection that lives long is shown at its own instants, with what was seen
// until then, and no longer once it has ended, whatever else the tracker sees and
// however often time is told.
func TestOpenConnections(t *testing.T) {
	ps := script(t, `
		0 A>B:6001 udp len=1
		3 A>B:6002 udp len=1
		20 A>B:6001 udp len=2
		45 A>B:6001 udp len=4
		100 A>B:6001 udp len=8
		200 A>B:6003 udp len=1`)
	const want = "6001 at 30: 3; 6002 at 33: 1; 6001 at 60: 7; 6001 at 90: 7; 6001 at 120: 15; 6001 at 150: 15; 6003 at 230: 1"
	for _, step := range []time.Duration{time.Second, 7 * time.Second, 10 * time.Minute} {
		var got []string
		cfg := conn.DefaultConfig()
		cfg.OpenInterval = 30 * time.Second
		tr := conn.New(cfg, conn.Deps{
			Emit: func(packet.Time, *logs.Conn) {},
			Open: func(at packet.Time, c *logs.Conn) {
				got = append(got, fmt.Sprintf("%d at %d: %d", c.RespP, int(at.Sub(ps[0].Eff).Seconds()), max(c.OrigBytes, c.OrigIP-28*c.OrigPkts)))
			},
		})
		end := ps[0].Eff
		for i := range ps {
			for end.Add(step) <= ps[i].Eff {
				end = end.Add(step)
				tr.Advance(end)
			}
			tr.Handle(&ps[i])
		}
		tr.Flush(ps[0].Eff.Add(240 * time.Second))
		if s := strings.Join(got, "; "); s != want {
			t.Errorf("steps of %v:\ngot  %s\nwant %s", step, s, want)
		}
	}
}

// Many connections that come and go leave no queue behind: it is bounded by what is
// open, not by what opened within an interval.
func TestOpenConnectionsAreForgotten(t *testing.T) {
	cfg := conn.DefaultConfig()
	cfg.OpenInterval = time.Second
	shown := 0
	tr := conn.New(cfg, conn.Deps{Emit: func(packet.Time, *logs.Conn) {}, Open: func(packet.Time, *logs.Conn) { shown++ }})
	ps := script(t, "0 A>B:6001 udp len=1")
	for n := range 10_000 {
		p := ps[0]
		p.Eff = p.Eff.Add(time.Duration(n) * time.Second)
		p.TS, p.SrcPort = p.Eff, uint16(n)
		p.Hash = symmetricHash(&p)
		tr.Handle(&p)
		tr.Advance(p.Eff)
	}
	if least := 10_000 * 55; shown < least || shown > least+10_000*10 {
		t.Errorf("shown %d times, want about %d", shown, least)
	}
}
