package pipeline

import (
	"context"
	"sync"
	"time"
)

// How much of the past a page shows.
const (
	sampleInterval = 5 * time.Second
	keptSamples    = 720 // an hour
)

// sample is the state at one time: counters in totals since the start.
type sample struct {
	N           uint64   `json:"n"`    // of all samples, from 1: a wall clock may be set back
	Time        float64  `json:"time"` // wall clock, seconds since 1970
	Packets     uint64   `json:"packets"`
	Bytes       uint64   `json:"bytes"` // on the wire
	Conns       uint64   `json:"conns"` // that ended
	ActiveConns uint64   `json:"active_conns"`
	Lag         *float64 `json:"lag"` // seconds; null before the first packet
	Waiting     int      `json:"waiting"`
	Memory      uint64   `json:"memory"`
	CPU         float64  `json:"cpu"` // seconds
}

// history is the last hour, for those who look at the page.
type history struct {
	mu   sync.Mutex
	made uint64
	kept []sample // the newest last
}

// follow takes a sample at every interval, until ctx ends.
func (h *history) follow(ctx context.Context, take func() picture) {
	tick := time.NewTicker(sampleInterval)
	defer tick.Stop()
	for {
		p := take()
		h.add(p.sample())
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (h *history) add(s sample) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.made++
	s.N = h.made
	h.kept = keepLast(append(h.kept, s), keptSamples)
}

// beyond are the samples after the n-th; all, for one who has more than there were.
func (h *history) beyond(n uint64) []sample {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n > h.made {
		n = 0
	}
	missing := min(h.made-n, uint64(len(h.kept)))
	return append([]sample{}, h.kept[len(h.kept)-int(missing):]...)
}

func (p *picture) sample() sample {
	s := sample{
		Time: wallSeconds(p.now), Packets: p.Handled, Bytes: p.Wire, Conns: p.Conns, ActiveConns: p.ActiveConns,
		Waiting: p.spool.Waiting(), Memory: p.Resident, CPU: p.CPU.Seconds(),
	}
	if p.HasWatermark {
		lag := p.lag()
		s.Lag = &lag
	}
	return s
}
