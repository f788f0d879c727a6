package anomaly

import (
	"slices"

	"pcapdir/analysis/flowvec"
	"pcapdir/analysis/logs"
)

// vectors are the lines of vectors.log: up to most rows, in the order of their
// lots. Where not all fit, those of a crowd that stand for nothing are left out.
func (win *window) vectors(most int, full bool, k *logs.KMeans) []logs.Vector {
	if most == 0 {
		return nil
	}
	var chosen []drawn
	if most < win.len() {
		win.held = cleared(win.held, win.len())
		chosen = win.lowest(most, anyLot, win.held)
	} else {
		for i, lot := range win.lots {
			chosen = append(chosen, drawn{lot, i})
		}
		slices.SortFunc(chosen, win.compare)
	}
	lines := make([]logs.Vector, len(chosen))
	for n, c := range chosen {
		lines[n] = win.vectorLine(c.row, full, k)
	}
	return lines
}

func (win *window) vectorLine(i int, full bool, k *logs.KMeans) logs.Vector {
	source, target := win.context.Ends(i)
	x, y := win.model.plane.Place(win.deviations(i))
	f, r := win.reader.Conversation(i).Totals()
	line := logs.Vector{
		TS: k.TS, Window: k.Window, Actor: win.context.ActorAt(win.context.Actor(i)), OrigH: source, RespH: target,
		Service: win.context.Service(i).String(), Scored: win.scored, Score: win.distance[i],
		Cluster: win.model.names[win.cluster[i]], X: x, Y: y,
		OrigPkts: f.Packets, OrigBytes: f.Bytes, RespPkts: r.Packets, RespBytes: r.Bytes,
	}
	if full {
		line.Features, line.Names = win.model.inUnits(&win.vector), featureNames
	}
	return line
}

// featureNames are what the numbers of a vector are.
var featureNames = func() []string {
	names := make([]string, d)
	for j, f := range features {
		names[j] = f.Name
	}
	return names
}()

// inUnits is a vector in natural units.
func (s *scale) inUnits(v *flowvec.Vector) []float64 {
	values := make([]float64, d)
	for j := range values {
		values[j] = features[j].Natural(v[j])
	}
	return values
}
