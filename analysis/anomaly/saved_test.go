package anomaly_test

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"pcapdir/analysis/anomaly"
	"pcapdir/analysis/flowvec"
	"pcapdir/analysis/logs"
	"pcapdir/sharder"
	"pcapdir/source/packet"
	"pcapdir/source/snap"
	"pcapdir/source/snap/snaptest"
)

// process is all that reports depend on, and what of it was written when.
type process struct {
	cfg    anomaly.Config
	hasher sharder.Hasher
	tables []*flowvec.Table
	det    *anomaly.Detector
	panes  map[packet.Time][]byte // each written once
}

func newProcess(cfg anomaly.Config, tables int) *process {
	p := &process{cfg: cfg, hasher: sharder.Hasher{Mode: sharder.FiveTuple, Shards: tables}, det: anomaly.New(cfg), panes: map[packet.Time][]byte{}}
	for range tables {
		p.tables = append(p.tables, flowvec.New(flowvec.Config{Pane: cfg.Pane}))
	}
	return p
}

// again is p in another process with that many tables.
func (p *process) again(t testing.TB, tables int) *process {
	q := newProcess(p.cfg, tables)
	for _, table := range p.tables {
		r := snaptest.Reader(snaptest.Written(t, table.Save))
		if err := cmp.Or(flowvec.LoadTable(r, q.tables, q.hasher.Route), r.End()); err != nil {
			t.Fatal(err)
		}
	}
	r := snaptest.Reader(snaptest.Written(t, p.det.Save))
	if err := cmp.Or(q.det.Load(r), r.End()); err != nil {
		t.Fatal(err)
	}
	for _, end := range p.det.Panes() {
		if p.panes[end] == nil {
			p.panes[end] = snaptest.Written(t, func(w *snap.Writer) { p.det.SavePane(end, w) })
		}
		r := snaptest.Reader(p.panes[end])
		if err := cmp.Or(q.det.LoadPane(r), r.End()); err != nil {
			t.Fatal(err)
		}
	}
	q.panes = p.panes
	return q
}

// outcome is all that a detector says.
type outcome struct {
	reports []anomaly.Report
	ends    []logs.Anomaly
	lost    flowvec.Loss
}

// detectAgain is detect with restarts within panes: tables says with how many to go
// on in which pane, 0 that there is none.
func detectAgain(t testing.TB, cfg anomaly.Config, all []packet.Packet, tables func(pane int) int) (o outcome) {
	p := newProcess(cfg, 2)
	end, pane := all[0].Eff.Floor(cfg.Pane).Add(cfg.Pane), 0
	closePane := func() {
		var parts []*flowvec.Pane
		for _, table := range p.tables {
			parts = append(parts, table.ClosePane())
		}
		o.reports = append(o.reports, p.det.Pane(end, parts, true)...)
		pane++
	}
	for i := range all {
		one := all[i]
		if one.Eff >= end {
			closePane()
			end = one.Eff.Floor(cfg.Pane).Add(cfg.Pane)
		}
		table := p.tables[p.hasher.Route(&one)]
		table.Add(&one, uidOf(&one))
		if half := end.Add(-cfg.Pane / 2); one.Eff < half && i+1 < len(all) && all[i+1].Eff >= half {
			if n := tables(pane); n > 0 {
				p = p.again(t, n)
			}
		}
	}
	closePane()
	if n := tables(pane); n > 0 {
		p = p.again(t, n)
	}
	o.ends, o.lost = p.det.Close(), p.det.Lost()
	return o
}

func never(int) int { return 0 }

// busyDay is minutes with all that makes a detector remember: alerts that come again
// and end, that grow, sweeps, and a baseline that is full and gets old.
func busyDay(minutes int) (anomaly.Config, []packet.Packet) {
	cfg := anomaly.DefaultConfig()
	cfg.Baseline, cfg.Age, cfg.Mute, cfg.Full, cfg.WarmVectors = 600, 20*time.Minute, 9*time.Minute, true, 100
	all := office(minutes, 21)
	for m := 8; m < minutes; m++ {
		if m%7 < 4 {
			all = append(all, scan(m, 100+20*m)...)
		}
	}
	return cfg, inOrder(all)
}

func asura(cfg anomaly.Config) anomaly.Config {
	cfg.Asura = true
	return cfg
}

// A process that was killed says from then on what it would have said.
func TestRestartsDoNotShow(t *testing.T) {
	cfg, packets := busyDay(40)
	for _, cfg := range []anomaly.Config{cfg, asura(cfg)} {
		want := detectAgain(t, cfg, packets, never)
		if !cfg.Asura && (count(want, logs.LabelAnomalous) < 3 || count(want, logs.LabelEnded) < 3 || len(want.ends) == 0) {
			t.Fatalf("%d alerts, %d repeated ones that are over, %d at the end", count(want, logs.LabelAnomalous), count(want, logs.LabelEnded), len(want.ends))
		}
		r := rand.New(rand.NewPCG(1, 3))
		for name, tables := range map[string]func(int) int{
			"after each pane": func(pane int) int { return 1 + pane%3 },
			"now and then":    func(int) int { return max(0, r.IntN(8)-4) },
			"once":            func(pane int) int { return max(0, 1-max(pane-19, 19-pane)) },
		} {
			if got := detectAgain(t, cfg, packets, tables); !reflect.DeepEqual(got, want) {
				t.Errorf("restarts %s show, asura %v", name, cfg.Asura)
			}
		}
	}
}

func count(o outcome, label string) (n int) {
	for _, r := range o.reports {
		for _, a := range r.Anomalies {
			if a.Label == label {
				n++
			}
		}
	}
	return n
}

// It does not matter after which pane.
func TestRestartAfterAnyPane(t *testing.T) {
	const minutes = 17
	cfg, packets := busyDay(minutes)
	want := detectAgain(t, cfg, packets, never)
	step := 1
	if testing.Short() {
		step = 4
	}
	for at := 0; at <= minutes; at += step {
		got := detectAgain(t, cfg, packets, func(pane int) int {
			if pane == at {
				return 3
			}
			return 0
		})
		if !reflect.DeepEqual(got, want) {
			t.Errorf("a restart in pane %d shows", at)
		}
	}
}

func TestRestartsInTheLab(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes of labelled captures")
	}
	packets := labPackets(t)
	for _, cfg := range []anomaly.Config{anomaly.DefaultConfig(), asura(anomaly.DefaultConfig())} {
		want := detectAgain(t, cfg, packets, never)
		if got := detectAgain(t, cfg, packets, func(pane int) int { return pane % 4 }); !reflect.DeepEqual(got, want) {
			t.Errorf("restarts show, asura %v", cfg.Asura)
		}
	}
}

// afterMinutes is a detector with a past.
func afterMinutes(t testing.TB, minutes int) *process {
	cfg, packets := busyDay(minutes)
	p := newProcess(cfg, 1)
	for m := range minutes {
		for i := range packets {
			if packets[i].Eff.Floor(cfg.Pane) == packet.Time(m)*packet.Time(time.Minute) {
				p.tables[0].Add(&packets[i], uidOf(&packets[i]))
			}
		}
		p.det.Pane(packet.Time(m+1)*packet.Time(time.Minute), []*flowvec.Pane{p.tables[0].ClosePane()}, true)
	}
	return p
}

// What is shown may change between two processes, what is learned may not.
func TestOtherConfigurationsAreRefused(t *testing.T) {
	p := afterMinutes(t, 10)
	text := snaptest.Written(t, p.det.Save)
	shown := p.cfg
	shown.Lines, shown.Sample, shown.Full = 99, 99, false
	if err := anomaly.New(shown).Load(snaptest.Reader(text)); err != nil {
		t.Error("more lines:", err)
	}
	for name, change := range map[string]func(*anomaly.Config){
		"asura":    func(c *anomaly.Config) { c.Asura = true },
		"pane":     func(c *anomaly.Config) { c.Pane = 30 * time.Second },
		"windows":  func(c *anomaly.Config) { c.Windows = c.Windows[:1] },
		"k":        func(c *anomaly.Config) { c.K = 7 },
		"seed":     func(c *anomaly.Config) { c.Seed++ },
		"baseline": func(c *anomaly.Config) { c.Baseline++ },
		"age":      func(c *anomaly.Config) { c.Age++ },
	} {
		cfg := p.cfg
		cfg.Windows = slices.Clone(cfg.Windows)
		change(&cfg)
		if err := anomaly.New(cfg).Load(snaptest.Reader(text)); !errors.Is(err, flowvec.ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStreamsCutShort(t *testing.T) {
	p := afterMinutes(t, 10)
	text := snaptest.Written(t, p.det.Save)
	for n := 0; n < len(text); n += 1 + n/30 {
		if anomaly.New(p.cfg).Load(snaptest.Reader(text[:n])) == nil {
			t.Fatalf("%d of %d bytes make a detector", n, len(text))
		}
	}
}

// Whatever the damage, there is an error or a detector that works, never a panic.
func TestDamagedStreams(t *testing.T) {
	p := afterMinutes(t, 10)
	text := snaptest.Written(t, p.det.Save)
	_, packets := busyDay(11)
	r := rand.New(rand.NewPCG(5, 5))
	worked := 0
	for range 150 {
		damaged := bytes.Clone(text)
		for range 1 + r.IntN(20) {
			damaged[r.IntN(len(damaged))] = byte(r.IntN(256))
		}
		det := anomaly.New(p.cfg)
		if det.Load(snaptest.Reader(damaged)) != nil {
			continue
		}
		worked++
		table := flowvec.New(flowvec.DefaultConfig())
		for i := range packets {
			if at := packets[i].Eff; at >= packet.Time(10*time.Minute) {
				table.Add(&packets[i], uidOf(&packets[i]))
			}
		}
		det.Pane(packet.Time(11*time.Minute), []*flowvec.Pane{table.ClosePane()}, true)
		det.Close()
	}
	if worked == 0 {
		t.Error("no damage was let through: this tries nothing")
	}
}

// A detector of the default size that learned all that it can.
func BenchmarkDetector(b *testing.B) {
	cfg, packets := busyDay(40)
	cfg.Baseline, cfg.Age = 5000, 24*time.Hour
	p := newProcess(cfg, 1)
	end := cfg.Pane
	for round := range 6 {
		for i := range packets {
			one := packets[i]
			one.Eff = one.Eff.Add(time.Duration(round) * 40 * time.Minute)
			if one.Eff >= packet.Time(end) {
				p.det.Pane(packet.Time(end), []*flowvec.Pane{p.tables[0].ClosePane()}, true)
				end += cfg.Pane
			}
			p.tables[0].Add(&one, uidOf(&one))
		}
	}
	text := snaptest.Written(b, p.det.Save)
	b.Run("save", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			w := snap.NewWriter(io.Discard)
			p.det.Save(w)
			_ = w.Close()
		}
	})
	b.Run("load", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			if err := anomaly.New(cfg).Load(snaptest.Reader(text)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
