package pipeline_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"pcapdir/source/decode/decodetest"
	"pcapdir/source/packet"
)

// tap is a live capture that begins a new file every period, as tcpdump -G does:
// ten packets a second of one conversation, one of another every other second, and
// some that say a word and fall silent.
type tap struct {
	name   string
	phase  time.Duration
	begin  time.Time
	files  int
	offset uint16 // of its ports
}

const rotationPeriod = time.Second

// run delivers the files of the tap, each when it is full.
func (p tap) run(t *testing.T, d *daemon) {
	at, end := p.begin, p.begin.Add(p.phase)
	for n := range p.files {
		var recs []record
		for ; at.Before(end); at = at.Add(100 * time.Millisecond) {
			tick := at.Sub(p.begin).Milliseconds() / 100
			add := func(port uint16) {
				ip := decodetest.From("10.0.0.1", "10.0.0.2").UDP(port, 9, make([]byte, 20))
				recs = append(recs, record{TS: packet.Time(at.UnixNano() / 1000 * 1000), LinkType: 101, Wire: uint32(len(ip)), Data: ip})
			}
			add(p.offset)
			if tick%20 == 7 {
				add(p.offset + 1)
			}
			if tick%13 == 3 {
				add(p.offset + 100 + uint16(tick)) // never again
			}
		}
		time.Sleep(time.Until(end))
		d.mv(t, fmt.Sprintf("%s/%d", p.name, 1000-n), forms[0].encode(t, capture{p.name, recs}))
		end = end.Add(rotationPeriod)
	}
}

// Two live taps that rotate out of phase, one of which dies: no packet is late, no
// conversation is cut, and who fell silent is in the log while the taps go on. At
// the end the logs are those of a batch.
func TestLiveTaps(t *testing.T) {
	if testing.Short() {
		t.Skip("lasts some seconds by the wall clock")
	}
	cfg := site(newRoot(t))
	cfg.Order.HoldBack, cfg.Order.Idle = 100*time.Millisecond, time.Second
	cfg.Conn.UDPInactivity = 3 * time.Second
	d := start(t, cfg)
	var taps sync.WaitGroup
	begin := time.Now()
	for _, p := range []tap{
		{"a", rotationPeriod, begin, 12, 1000}, {"b", rotationPeriod / 2, begin, 5, 2000},
	} {
		if err := os.MkdirAll(d.in(p.name), 0o755); err != nil {
			t.Fatal(err)
		}
		taps.Go(func() { p.run(t, d) })
	}
	over := make(chan struct{})
	go func() { taps.Wait(); close(over) }()
	// Port 1103 speaks in the first second, and the silence of three is over then.
	d.until(t, "a silent conversation is logged", func() bool {
		text, _ := os.ReadFile(filepath.Join(cfg.Logs.Dir, "conn.log"))
		return bytes.Contains(text, []byte(`"id.orig_p":1103,`))
	})
	select {
	case <-over:
		t.Error("it took until the taps were through")
	default:
	}
	<-over
	d.until(t, "all files are put away", func() bool { return len(d.fates(t)) == 17 })
	d.quit(t)
	for _, f := range d.fates(t) {
		if f.Late > 0 || f.Outcome != "done" {
			t.Errorf("%+v", f)
		}
	}
	j := newJob(t)
	j.cfg.Conn.UDPInactivity = cfg.Conn.UDPInactivity
	want, got := j.read(t, filepath.Join(d.root, "done")), readLogs(t, cfg.Logs.Dir)
	if !bytes.Equal(want.logs["conn"], got["conn"]) {
		t.Error(firstDifference(want.logs["conn"], got["conn"]))
	}
}
