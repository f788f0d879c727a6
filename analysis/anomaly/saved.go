package anomaly

import (
	"errors"
	"fmt"
	"math"
	"reflect"

	"pcapdir/analysis/flowvec"
	"pcapdir/source/packet"
	"pcapdir/source/snap"
)

var errDamaged = errors.New("the saved baseline does not hold together")

// settings are what a state is good for: all but what says how much of a report is
// shown, and the features, of which a vector has only the numbers.
type settings struct {
	config   Config
	features []string
}

func (c Config) settings() settings {
	c.Lines, c.Sample, c.Full = 0, 0, false
	s := settings{config: c}
	for _, f := range features {
		s.features = append(s.features, fmt.Sprint(f.Name, f.Doc, f.Floor, f.Rel, f.Shrink, f.Unit))
	}
	return s
}

// Save writes all but the panes.
func (det *Detector) Save(w *snap.Writer) {
	s := det.cfg.settings()
	w.Put(&s, &det.span)
	det.windows.Save(w)
	for _, watch := range det.watches {
		w.Put(&watch.state)
	}
}

// Load reads what Save wrote into a detector that is new. The error is a
// flowvec.ErrConfig where that was made for another Config. What Lines, Sample and
// Full are does not matter. After an error the detector is of no use.
func (det *Detector) Load(r *snap.Reader) error {
	var s settings
	if !r.Get(&s) {
		return r.Err()
	}
	if !reflect.DeepEqual(s, det.cfg.settings()) {
		return flowvec.ErrConfig
	}
	r.Get(&det.span)
	if err := det.windows.Load(r); err != nil {
		return err
	}
	for _, watch := range det.watches {
		if !r.Get(&watch.state) {
			return r.Err()
		}
		if !watch.holds() {
			return errDamaged
		}
	}
	return nil
}

// Panes are the ends of the panes that windows to come still need, in order.
func (det *Detector) Panes() []packet.Time { return det.windows.Ends() }

// SavePane writes one of Panes. Once closed it does not change any more.
func (det *Detector) SavePane(end packet.Time, w *snap.Writer) { det.windows.SavePane(end, w) }

// LoadPane reads what SavePane wrote. All of Panes are loaded in their order, before
// the first call of Pane; whether before or after Load does not matter.
func (det *Detector) LoadPane(r *snap.Reader) error { return det.windows.LoadPane(r) }

// holds says whether what was loaded is something that reports can have left, as far
// as they would stumble over it.
func (w *watch) holds() bool {
	b := &w.baseline
	if w.mutes == nil || b.most != w.cfg.Baseline || !sane(b.samples) {
		return false
	}
	for i := range b.waiting {
		if !sane(b.waiting[i].samples) {
			return false
		}
	}
	return w.model == nil || w.model.holds()
}

func (m *model) holds() bool {
	if m.scale == nil || m.Model == nil || m.plane == nil || !m.Model.Holds(d) || !m.plane.Holds(d) {
		return false
	}
	if k := m.K(); k > mostNamed || len(m.names) != k || len(m.drifts) != k || len(m.typical) != k {
		return false
	}
	for _, h := range m.homes {
		if h == nil || !h.sane() {
			return false
		}
	}
	return m.all.sane() && m.second.sane() && bounded(m.Centroids...)
}

// bounded says that all are numbers, and far from where they would no longer add up
// to numbers. Fits take no others.
func bounded(xs ...float64) bool {
	const most = 1e100
	for _, x := range xs {
		if !(math.Abs(x) < most) {
			return false
		}
	}
	return true
}

func sane(samples []*sample) bool {
	for _, s := range samples {
		if s == nil || !bounded(s.packets) || s.packets < 0 || !bounded(s.vector[:]...) {
			return false
		}
	}
	return true
}

func (h *home) sane() bool {
	for _, s := range h {
		if !bounded(s.mid, s.up, s.down, s.per[0], s.per[1]) {
			return false
		}
	}
	return true
}
