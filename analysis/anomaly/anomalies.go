package anomaly

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"pcapdir/analysis/flowvec"
	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
)

// mostReasons is how many features a line names.
const mostReasons = 8

const (
	labelAnomalous  = "anomalous"
	labelNormal     = "normal"
	baselineWarming = "warming"
	baselineOK      = "ok"
)

// anomalies are the report's lines: its farthest incidents. What reaches the
// threshold is an alert, unless the same was said within the hour: then it has
// no line, and the next incident takes its rank.
func (w *watch) anomalies(win *window, k *logs.KMeans) []logs.Anomaly {
	scores := w.scores.tail()
	limit := w.threshold(win.end)
	var lines []logs.Anomaly
	quiet := map[uint32]bool{} // alerted actors, said or held back
	for in := range win.incidents() {
		if len(lines) == w.cfg.Lines {
			break
		}
		far := win.distance[in.top]
		alert := w.ready && far >= limit
		why := win.why(in.top)
		if alert {
			quiet[in.actor] = true
			if w.mutes.hold(win.mute(in, why), far, win.end, w.cfg) {
				continue
			}
		}
		if w.ready {
			w.tops.at(win.end)[binOf(far)]++
		}
		line := win.line(in, why, k)
		line.Rank, line.ScoreP = len(lines)+1, scoreP(&scores, far)
		line.Label, line.Baseline = labelNormal, baselineWarming
		if w.ready {
			line.Baseline = baselineOK
		}
		if alert {
			line.Label = labelAnomalous
		}
		lines = append(lines, line)
	}
	win.markAlerted(quiet, limit, lines)
	return lines
}

// threshold is the least distance of an alert: what 99.9 % of the baseline was
// within when the warm-up ended, or what keeps the past day's incidents within
// the budget. Less than an hour of past counts as one.
func (w *watch) threshold(end packet.Time) float64 {
	tail := w.tops.tail()
	past := max(time.Hour, min(end.Sub(w.since), w.cfg.Age))
	return max(w.frozen, atMost(&tail, w.cfg.Budget*past.Hours()))
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
		if addr := win.context.ActorAt(actor); len(beyond) > 0 {
			if n, ok := beyond[addr]; ok {
				beyond[addr] = n + 1
			}
		}
	}
	for i := range lines {
		lines[i].Siblings = max(0, beyond[lines[i].Actor]-1)
	}
}

// line is what an incident says of itself.
func (win *window) line(in incident, why []logs.Why, k *logs.KMeans) logs.Anomaly {
	source, target := win.context.Ends(in.top)
	f, r := win.reader.Conversation(in.top).Totals()
	service := win.context.Service(in.top)
	cluster := &k.Clusters[win.cluster[in.top]]
	return logs.Anomaly{
		TS: k.TS, Window: k.Window, Actor: win.context.ActorAt(in.actor), OrigH: source, RespH: target,
		RespP: service.Port(), Proto: protoName(service.Proto()), Service: serviceName(service),
		Score: win.distance[in.top], Cluster: cluster.Name, ClusterShare: cluster.Share, K: k.K,
		OrigPkts: f.Packets, OrigBytes: f.Bytes, RespPkts: r.Packets, RespBytes: r.Bytes,
		UIDs: win.context.Rows().UIDs(in.top), Why: why, Model: win.model.digest,
	}
}

// why is which features put row i so far from its centroid, the largest first.
// Over all features the percentages add to 100; the largest are listed.
func (win *window) why(i int) []logs.Why {
	var v flowvec.Vector
	var z row
	win.read(win.reader, i, &v, &z)
	m, service := win.model, win.context.Service(i)
	centroid := m.Centroid(int(win.cluster[i]))
	all := make([]logs.Why, 0, d)
	for j := range d {
		e := z[j] - centroid[j]
		if e == 0 {
			continue
		}
		f := &m.features[j]
		all = append(all, logs.Why{
			Feature: f.Name, Value: f.Natural(v[j]), Typical: m.natural(j, centroid[j], service),
			Z: z[j], Pct: 100 * e * e / (win.distance[i] * win.distance[i]),
		})
	}
	slices.SortStableFunc(all, func(a, b logs.Why) int { return cmp.Compare(b.Pct, a.Pct) })
	return all[:min(mostReasons, len(all))]
}

// protoName is the transport as Zeek names it.
func protoName(proto uint8) string {
	switch proto {
	case packet.TCP:
		return "tcp"
	case packet.UDP:
		return "udp"
	case packet.ICMP, packet.ICMPv6:
		return "icmp"
	default:
		return "unknown_transport"
	}
}

// serviceName is "tcp/22", or "icmp", or "ip/47" for other protocols.
func serviceName(s flowvec.Service) string {
	switch s.Proto() {
	case packet.TCP, packet.UDP:
		return protoName(s.Proto()) + "/" + strconv.Itoa(int(s.Port()))
	case packet.ICMP, packet.ICMPv6:
		return "icmp"
	default:
		return "ip/" + strconv.Itoa(int(s.Proto()))
	}
}
