package anomaly

import (
	"cmp"
	"slices"

	"pcapdir/analysis/flowvec"
	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
)

// mute is what makes two alerts the same: the actor, the service, and the pair that
// stands out, but of a crowd, where another pair may stand out each time.
type mute struct {
	actor, orig, resp packet.Addr
	service           flowvec.Service
}

func (m mute) compare(o mute) int {
	return cmp.Or(m.actor.Compare(o.actor), m.orig.Compare(o.orig), m.resp.Compare(o.resp), cmp.Compare(m.service, o.service))
}

// said is an alert, and how often it came again since.
type said struct {
	at      packet.Time
	line    logs.Anomaly
	repeats int
	until   float64 // window end of the last of them
}

// mutes are the alerts of the last Config.Mute. They are few: a report adds as
// many as it has lines.
type mutes map[mute]said

// ended forgets the alerts that were said by then, and returns the ends of those
// that came again, in an order that is the same for the same alerts.
func (m mutes) ended(now, by packet.Time) (ends []logs.Anomaly) {
	var over []mute
	for k, s := range m {
		if s.at <= by {
			over = append(over, k)
		}
	}
	slices.SortFunc(over, func(a, b mute) int {
		return cmp.Or(cmp.Compare(m[a].at, m[b].at), a.compare(b))
	})
	for _, k := range over {
		ends = m.end(ends, k, now)
	}
	return ends
}

// end forgets one alert, and appends its end where it came again.
func (m mutes) end(ends []logs.Anomaly, key mute, now packet.Time) []logs.Anomaly {
	s, ok := m[key]
	delete(m, key)
	if !ok || s.repeats == 0 {
		return ends
	}
	line := s.line
	line.Repeats = &logs.Repeats{Began: line.TS, N: s.repeats, Until: s.until}
	line.TS, line.Rank, line.Label = now.Seconds(), 0, logs.LabelEnded
	return append(ends, line)
}

// say remembers an alert. One that it takes the place of, having grown, ends.
func (m mutes) say(ends []logs.Anomaly, key mute, alert said, cfg *Config) []logs.Anomaly {
	ends = m.end(ends, key, alert.at)
	if cfg.Mute > 0 {
		m[key] = alert
	}
	return ends
}

// hold says whether an alert is to be held back, being what was said before, and
// then counts it.
func (m mutes) hold(key mute, far, at float64, cfg *Config) bool {
	s, ok := m[key]
	if !ok || far >= s.line.Score*(1+cfg.MuteGrowth) {
		return false
	}
	s.repeats, s.until = s.repeats+1, at
	m[key] = s
	return true
}

func (win *window) mute(in incident) mute {
	m := mute{actor: win.context.ActorAt(in.actor), service: win.context.Service(in.top)}
	if win.context.CrowdLen(in.top) <= flowvec.CrowdShare {
		m.orig, m.resp = win.context.Ends(in.top)
	}
	return m
}
