package report

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

// widths are the lengths of a stretch of time, in seconds; each is a multiple of
// the one before, so that stretches can be joined.
var widths = [...]float64{1, 5, 15, 60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86400, 7 * 86400, 28 * 86400, 364 * 86400}

// traffic sums connections over stretches of time that grow as more time is
// covered, so that no more than trafficColumns of them hold something.
type traffic struct {
	step    int // in widths
	cells   map[int64]cells
	columns map[string]int // of a service in cells
}

// cells has the sums of one stretch, a column for each service.
type cells []cell

type cell struct{ bytes, conns float64 }

// rest is the column of services beyond the first trafficNames.
const rest = 0

func newTraffic() *traffic {
	return &traffic{cells: map[int64]cells{}, columns: map[string]int{"": rest}}
}

// add counts a connection where it begins and spreads its bytes evenly over its
// duration: where they really went is not in the log.
func (t *traffic) add(c *connLine) {
	column := t.column(cmp.Or(c.Service, c.Proto))
	for c.Duration > trafficColumns*widths[t.step] {
		t.coarsen()
	}
	width := widths[t.step]
	begin, end := c.TS, c.TS+c.Duration
	bytes := c.OrigBytes + c.RespBytes
	t.put(int64(begin/width), column, cell{conns: 1})
	for i := int64(begin / width); i <= int64(end/width); i++ {
		part := 1.0
		if end > begin {
			part = (min(end, float64(i+1)*width) - max(begin, float64(i)*width)) / (end - begin)
		}
		t.put(i, column, cell{bytes: bytes * max(0, part)})
	}
	for len(t.cells) > trafficColumns && t.step < len(widths)-1 {
		t.coarsen()
	}
}

func (t *traffic) column(service string) int {
	service = cut(service)
	column, ok := t.columns[service]
	if !ok && len(t.columns) < trafficNames {
		column = len(t.columns)
		t.columns[service] = column
	}
	return column
}

func (t *traffic) put(at int64, column int, c cell) {
	sums := t.cells[at]
	for len(sums) <= column {
		sums = append(sums, cell{})
	}
	sums[column].bytes += c.bytes
	sums[column].conns += c.conns
	t.cells[at] = sums
}

// coarsen joins stretches into the next width.
func (t *traffic) coarsen() {
	fine := t.cells
	n := int64(widths[t.step+1] / widths[t.step])
	t.step++
	t.cells = make(map[int64]cells, len(fine))
	for _, at := range slices.Sorted(maps.Keys(fine)) { // sums of parts depend on their order
		for column, c := range fine[at] {
			t.put(at/n, column, c)
		}
	}
}

// Traffic is the picture of the traffic: series that are stacked.
type Traffic struct {
	Start   float64  `json:"start"`   // of the first stretch
	Width   float64  `json:"width"`   // of each, seconds
	Outside float64  `json:"outside"` // connections that begin far from all others, and are not in it
	Series  []Series `json:"series"`  // greatest first, then the rest
}

// Series is the traffic of one service, a number for each stretch of time.
type Series struct {
	Name  string    `json:"name"` // "" for the rest
	Bytes []float64 `json:"bytes"`
	Conns []float64 `json:"conns"`
}

// picture is what was added. It may coarsen t.
func (t *traffic) picture() *Traffic {
	if len(t.cells) == 0 {
		return nil
	}
	first, last := t.span()
	for last-first+1 > trafficColumns && t.step < len(widths)-1 {
		t.coarsen()
		first, last = t.span()
	}
	p := &Traffic{Start: float64(first) * widths[t.step], Width: widths[t.step]}
	for at, sums := range t.cells {
		if at < first || at > last {
			for _, c := range sums {
				p.Outside += c.conns
			}
		}
	}
	ranks := t.ranks()
	for i, name := range t.series(ranks) {
		s := Series{Name: name, Bytes: make([]float64, last-first+1), Conns: make([]float64, last-first+1)}
		for at := first; at <= last; at++ {
			for column, c := range t.cells[at] {
				if ranks[column] == i {
					s.Bytes[at-first] += c.bytes
					s.Conns[at-first] += c.conns
				}
			}
			s.Bytes[at-first] = math.Round(s.Bytes[at-first])
		}
		if slices.Max(s.Bytes) > 0 || slices.Max(s.Conns) > 0 {
			p.Series = append(p.Series, s)
		}
	}
	return p
}

// span is the first and the last stretch to show: all, unless a thousandth of the
// connections, such as one stamped 1970, would make it more than ten times as long.
func (t *traffic) span() (first, last int64) {
	at := slices.Sorted(maps.Keys(t.cells))
	first, last = at[0], at[len(at)-1]
	conns := func(i int64) (n float64) {
		for _, c := range t.cells[i] {
			n += c.conns
		}
		return n
	}
	all := 0.0
	for _, i := range at {
		all += conns(i)
	}
	few := func(at []int64) int64 {
		seen := 0.0
		for _, i := range at {
			if seen += conns(i); seen > all/1000 {
				return i
			}
		}
		return at[0]
	}
	from := few(at)
	slices.Reverse(at)
	if to := few(at); (to-from+1)*10 < last-first+1 {
		return from, to
	}
	return first, last
}

// ranks is the series of each column: the greatest services by bytes have their
// own, all others the last.
func (t *traffic) ranks() map[int]int {
	sums := make([]float64, len(t.columns))
	for _, at := range slices.Sorted(maps.Keys(t.cells)) {
		for column, c := range t.cells[at] {
			sums[column] += c.bytes + c.conns // those without bytes by their number
		}
	}
	names := slices.SortedFunc(maps.Keys(t.columns), func(a, b string) int {
		return cmp.Or(cmp.Compare(sums[t.columns[b]], sums[t.columns[a]]), cmp.Compare(a, b))
	})
	names = slices.DeleteFunc(names, func(name string) bool { return name == "" })
	ranks := map[int]int{rest: trafficSeries - 1}
	for i, name := range names {
		ranks[t.columns[name]] = min(i, trafficSeries-1)
	}
	return ranks
}

// series are the names of the series.
func (t *traffic) series(ranks map[int]int) []string {
	names := make([]string, trafficSeries)
	for name, column := range t.columns {
		if ranks[column] < trafficSeries-1 {
			names[ranks[column]] = name
		}
	}
	return names
}
