package anomaly

import (
	"cmp"
	"slices"

	"pcapdir/source/packet"
)

// incident is what one actor did in a window: a reader wants one line for a
// scan, not a thousand.
type incident struct {
	actor packet.Addr
	top   int // its farthest row
	rows  int // how many it has
}

// incidents groups the rows by initiator, or by target where many failed at
// it. They come farthest first; among equals by the addresses of the top row.
func (win *window) incidents() []incident {
	byActor := map[packet.Addr]int{}
	var all []incident
	for i := range win.rows {
		actor := win.actor(i)
		at, ok := byActor[actor]
		if !ok {
			at = len(all)
			byActor[actor] = at
			all = append(all, incident{actor: actor, top: i})
		}
		if in := &all[at]; win.farther(i, in.top) {
			in.top = i
		}
		all[at].rows++
	}
	slices.SortFunc(all, func(a, b incident) int {
		switch {
		case win.farther(a.top, b.top):
			return -1
		case win.farther(b.top, a.top):
			return 1
		}
		return 0
	})
	return all
}

func (win *window) actor(i int) packet.Addr {
	source, target := win.rows[i].Ends()
	if win.context.FannedIn(i) {
		return target
	}
	return source
}

// farther puts rows in the order of a report.
func (win *window) farther(i, j int) bool {
	if win.distance[i] != win.distance[j] {
		return win.distance[i] > win.distance[j]
	}
	si, ti := win.rows[i].Ends()
	sj, tj := win.rows[j].Ends()
	return cmp.Or(si.Compare(sj), ti.Compare(tj)) < 0
}
