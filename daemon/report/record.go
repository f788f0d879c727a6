package report

import "math"

// connLine is what is used of a line of conn.log or open_conn.log.
type connLine struct {
	TS        float64 `json:"ts"`
	UID       string  `json:"uid"`
	OrigH     string  `json:"id.orig_h"`
	OrigP     uint16  `json:"id.orig_p"`
	RespH     string  `json:"id.resp_h"`
	RespP     uint16  `json:"id.resp_p"`
	Proto     string  `json:"proto"`
	Service   string  `json:"service"`
	Duration  float64 `json:"duration"`
	ConnState string  `json:"conn_state"`
	History   string  `json:"history"`
	OrigPkts  float64 `json:"orig_pkts"`
	OrigBytes float64 `json:"orig_ip_bytes"`
	RespPkts  float64 `json:"resp_pkts"`
	RespBytes float64 `json:"resp_ip_bytes"`
	AsOf      float64 `json:"as_of"`
}

func (c *connLine) problem() string {
	switch {
	case c.UID == "":
		return "it has no uid"
	case !areTimes(c.TS, c.AsOf) || !isInterval(c.Duration):
		return badTime
	case !areCounts(c.OrigPkts, c.OrigBytes, c.RespPkts, c.RespBytes):
		return badNumber
	default:
		return ""
	}
}

// spoolLine is what is used of a line of spool.log.
type spoolLine struct {
	File    string   `json:"file"`     // its path when it was read
	FirstTS *float64 `json:"first_ts"` // nil: no packet has a time
	LastTS  *float64 `json:"last_ts"`
	Packets float64  `json:"packets"`
	Bytes   float64  `json:"bytes"`
	Handled float64  `json:"handled"`
	Outcome string   `json:"outcome"`
	Reason  string   `json:"reason"`
}

func (s *spoolLine) problem() string {
	switch {
	case s.File == "":
		return "it has no file"
	case s.times() && !areTimes(*s.FirstTS, *s.LastTS):
		return badTime
	case !areCounts(s.Packets, s.Bytes, s.Handled):
		return badNumber
	default:
		return ""
	}
}

// times says whether the file has packets with a time.
func (s *spoolLine) times() bool { return s.FirstTS != nil && s.LastTS != nil }

// kmeansLine is what is used of a line of kmeans.log.
type kmeansLine struct {
	TS       float64       `json:"ts"`
	Window   float64       `json:"window"`
	Complete bool          `json:"complete"`
	Pairs    float64       `json:"pairs"`
	K        float64       `json:"k"`
	Drift    float64       `json:"drift"`
	Clusters []clusterLine `json:"clusters"`
}

type clusterLine struct {
	Name     int                `json:"name"`
	Size     float64            `json:"size"`
	Share    float64            `json:"share"`
	Spread   float64            `json:"spread"`
	Drift    *float64           `json:"drift"` // nil: it is new
	Centroid map[string]float64 `json:"centroid"`
}

func (k *kmeansLine) problem() string {
	for i := range k.Clusters {
		c := &k.Clusters[i]
		if !isName(c.Name) || !areCounts(c.Size) || !areDoubles(c.Share, c.Spread) || c.Drift != nil && !areDoubles(*c.Drift) {
			return badNumber
		}
	}
	switch {
	case len(k.Clusters) > maxClusters:
		return "more clusters than a report can have"
	case !isReport(k.TS, k.Window):
		return badTime
	case !areCounts(k.Pairs, k.K) || !areDoubles(k.Drift):
		return badNumber
	default:
		return ""
	}
}

// vectorLine is what is used of a line of vectors.log.
type vectorLine struct {
	TS        float64 `json:"ts"`
	Window    float64 `json:"window"`
	OrigH     string  `json:"id.orig_h"`
	RespH     string  `json:"id.resp_h"`
	Service   string  `json:"service"`
	Scored    bool    `json:"scored"`
	Score     float64 `json:"score"`
	Cluster   int     `json:"cluster"`
	X         float64 `json:"x"`
	Y         float64 `json:"y"`
	OrigPkts  float64 `json:"orig_pkts"`
	OrigBytes float64 `json:"orig_bytes"`
	RespPkts  float64 `json:"resp_pkts"`
	RespBytes float64 `json:"resp_bytes"`
}

func (v *vectorLine) problem() string {
	switch {
	case !isReport(v.TS, v.Window):
		return badTime
	case !isName(v.Cluster) || !areDoubles(v.Score, v.X, v.Y) || !areCounts(v.OrigPkts, v.OrigBytes, v.RespPkts, v.RespBytes):
		return badNumber
	default:
		return ""
	}
}

// What is wrong with a line whose JSON is right.
const (
	badTime   = "a time that cannot be"
	badNumber = "a number that cannot be"
)

func areTimes(all ...float64) bool {
	for _, t := range all {
		if !(t >= 0 && t <= lastTime) {
			return false
		}
	}
	return true
}

func isInterval(t float64) bool { return t >= 0 && t <= maxInterval }
func isName(n int) bool         { return n >= 0 && n <= maxName }

// isReport says whether a window of that length may end at ts.
func isReport(ts, window float64) bool { return areTimes(ts) && window > 0 && isInterval(window) }

func areCounts(all ...float64) bool {
	for _, n := range all {
		if !(n >= 0 && n <= maxCount) {
			return false
		}
	}
	return true
}

func areDoubles(all ...float64) bool {
	for _, x := range all {
		if !(math.Abs(x) <= maxDouble) {
			return false
		}
	}
	return true
}
