package anomaly

import (
	"time"

	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
)

// anomalies are the report's lines: the ends of alerts that are over, then its
// farthest incidents. What reaches the threshold is an alert, unless the same was
// said within the hour: then it has no line, and the next incident takes its rank.
func (w *watch) anomalies(win *window, k *logs.KMeans) []logs.Anomaly {
	scores := w.scores.tail()
	limit := w.threshold(win.end)
	ends := w.mutes.ended(win.end, win.end.Add(-w.cfg.Mute))
	var lines []logs.Anomaly
	var keys []mute            // of the lines
	quiet := map[uint32]bool{} // alerted actors, said or held back
	for in := range win.incidents() {
		if len(lines) == w.cfg.Lines {
			break
		}
		far := win.distance[in.top]
		alert := w.ready && far >= limit
		why := win.why(in.top)
		key := win.mute(in)
		if alert {
			quiet[in.actor] = true
			if w.mutes.hold(key, far, k.TS, w.cfg) {
				continue
			}
		}
		if w.ready {
			w.tops.at(win.end)[binOf(far)]++
		}
		line := win.line(in, why, k)
		line.Rank, line.ScoreP = len(lines)+1, scoreP(&scores, far)
		line.Label, line.Baseline = logs.LabelNormal, logs.BaselineWarming
		if w.ready {
			line.Baseline = logs.BaselineOK
		}
		if alert {
			line.Label = logs.LabelAnomalous
		}
		lines, keys = append(lines, line), append(keys, key)
	}
	win.markAlerted(quiet, limit, lines)
	for i := range lines {
		if lines[i].Label == logs.LabelAnomalous {
			ends = w.mutes.say(ends, keys[i], said{at: win.end, line: lines[i]}, w.cfg)
		}
	}
	return append(ends, lines...)
}

// leastAlert is the least distance of any alert: two deviations in one feature. Where
// all is alike, the farthest of it is nothing to tell.
const leastAlert = 2.0

// threshold is the least distance of an alert: what 99.9 % of the baseline was
// within when the warm-up ended, or what keeps the past day's incidents within
// the budget. Less than an hour of past counts as one.
func (w *watch) threshold(end packet.Time) float64 {
	tail := w.tops.tail()
	past := max(time.Hour, min(end.Sub(w.since), w.cfg.Age))
	return max(leastAlert, w.frozen, atMost(&tail, w.cfg.Budget*past.Hours()))
}

// markAlerted finds the rows of alerted incidents that are beyond the limit,
// so that they are not learned, and counts them beside each line's own row.
func (win *window) markAlerted(alerted map[uint32]bool, limit float64, lines []logs.Anomaly) {
	beyond := map[packet.Addr]int{}
	for i := range lines {
		beyond[lines[i].Actor] = 0
	}
	for i, far := range win.distance {
		if far < limit {
			continue
		}
		actor := win.context.Actor(i)
		win.alerted[i] = alerted[actor]
		addr := win.context.ActorAt(actor)
		if n, ok := beyond[addr]; ok {
			beyond[addr] = n + 1
		}
	}
	for i := range lines {
		lines[i].Siblings = max(0, beyond[lines[i].Actor]-1)
	}
}

// line is what an incident says of itself.
func (win *window) line(in incident, why []reason, k *logs.KMeans) logs.Anomaly {
	source, target := win.context.Ends(in.top)
	conversation := win.reader.Conversation(in.top)
	f, r := conversation.Totals()
	first, last := conversation.Span()
	x, y := win.model.plane.Place(win.deviations(in.top))
	service := win.context.Service(in.top)
	c := int(win.cluster[in.top])
	return logs.Anomaly{
		TS: k.TS, Window: k.Window, Complete: k.Complete, Actor: win.context.ActorAt(in.actor), OrigH: source, RespH: target,
		RespP: service.Port(), Proto: service.ProtoName(), Service: service.String(),
		Score: win.distance[in.top], Cluster: win.model.names[c], ClusterSize: win.sizes[c], ClusterShare: win.share(c), K: k.K, X: x, Y: y,
		First: first.Seconds(), Last: last.Seconds(), OrigPkts: f.Packets, OrigBytes: f.Bytes, RespPkts: r.Packets, RespBytes: r.Bytes,
		UIDs: win.context.Rows().UIDs(in.top), Message: message(why), Why: listed(why), Model: win.model.digest,
	}
}
