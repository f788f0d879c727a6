package anomaly

import (
	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
)

// mute is what makes two alerts the same.
type mute struct {
	actor   packet.Addr
	cluster int    // its name
	feature string // that weighs most
}

// said is when an alert was last given, and how far it was.
type said struct {
	at  packet.Time
	far float64
}

// mutes are the alerts of the last Config.Mute. They are few: a report adds as
// many as it has lines.
type mutes map[mute]said

// hold says whether an alert is to be held back, and otherwise remembers it.
func (m mutes) hold(key mute, far float64, now packet.Time, cfg *Config) bool {
	for k, s := range m {
		if now.Sub(s.at) >= cfg.Mute {
			delete(m, k)
		}
	}
	if s, ok := m[key]; ok && far < s.far*(1+cfg.MuteGrowth) {
		return true
	}
	if cfg.Mute > 0 {
		m[key] = said{now, far}
	}
	return false
}

func (win *window) mute(in incident, why []logs.Why) mute {
	m := mute{actor: win.context.ActorAt(in.actor), cluster: win.model.names[win.cluster[in.top]]}
	if len(why) > 0 {
		m.feature = why[0].Feature
	}
	return m
}
