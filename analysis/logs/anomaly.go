package logs

// Anomaly is one line of anomaly.log: one incident of one window, or the end of
// an alert that was repeated.
type Anomaly struct {
	TS           float64 // end of the window
	Window       float64 // seconds
	Complete     bool    // as in KMeans
	Rank         int     // 1 is the farthest of its report; 0 in an end
	Label        string
	Repeats      *Repeats
	Actor        [16]byte
	OrigH, RespH [16]byte
	RespP        uint16
	Proto        string
	Service      string // protocol and top port, tcp/22
	Score        float64
	ScoreP       float64 // -log10 of the empirical tail probability
	Cluster      int
	ClusterSize  int
	ClusterShare float64
	K            int
	X, Y         float64 // principal components

	First, Last                              float64 // its packets' times, as they are put in order
	OrigPkts, OrigBytes, RespPkts, RespBytes uint64

	Siblings int // further conversations above the threshold in the same incident
	UIDs     []UID
	Message  string // why, in words
	Why      []Why
	Model    string // short digest of the model that scored
	Baseline string
}

// Labels and states of the baseline.
const (
	LabelAnomalous = "anomalous" // an alert
	LabelNormal    = "normal"
	LabelEnded     = "ended" // of an alert that was repeated

	BaselineWarming = "warming"
	BaselineOK      = "ok"
)

// Repeats is what followed an alert within its silence.
type Repeats struct {
	Began float64 // TS of the alert
	N     int     // reports that had it again
	Until float64 // TS of the last of them
}

// Why is one feature's part in a score. Value, Typical and Median are in natural units.
type Why struct {
	Feature string
	Value   float64
	Typical float64 // of the nearest cluster
	Median  float64 // of the service, where it is known well enough, else of all
	Z       float64
	Pct     float64 // share of the squared distance, percent
}

// AnomalyStream is anomaly.log.
func AnomalyStream() Stream[Anomaly] { return anomalyStream }

var anomalyStream = newStream("anomaly", "One incident of one window: the conversation that stands out most, and why.", []Column[Anomaly]{
	{Name: "ts", Type: Time, Doc: "end of the window",
		Append: func(b []byte, r *Anomaly) []byte { return appendFloat(b, r.TS) }},
	{Name: "window", Type: Interval, Doc: "length of the window",
		Append: func(b []byte, r *Anomaly) []byte { return appendFloat(b, r.Window) }},
	{Name: "complete", Type: Bool, Doc: "the window lacks nothing; what is cut at an end of the capture may look odd for that alone",
		Append: func(b []byte, r *Anomaly) []byte { return appendBool(b, r.Complete) }},
	{Name: "rank", Type: Number, Doc: "place in its report, of what has a line; absent when ended",
		Append: func(b []byte, r *Anomaly) []byte { return appendPositive(b, uint64(r.Rank)) }},
	{Name: "label", Type: Enum, Doc: "anomalous: an alert; normal: the farthest of its report all the same; ended: a repeated alert is over",
		Append: func(b []byte, r *Anomaly) []byte { return appendText(b, r.Label) }},
	{Name: "began", Type: Time, Doc: "when ended: `ts` of the alert",
		Append: func(b []byte, r *Anomaly) []byte {
			return r.repeats(b, func(e *Repeats) []byte { return appendFloat(b, e.Began) })
		}},
	{Name: "repeats", Type: Number, Doc: "when ended: reports that had it again",
		Append: func(b []byte, r *Anomaly) []byte {
			return r.repeats(b, func(e *Repeats) []byte { return appendInt(b, e.N) })
		}},
	{Name: "until", Type: Time, Doc: "when ended: `ts` of the last of them",
		Append: func(b []byte, r *Anomaly) []byte {
			return r.repeats(b, func(e *Repeats) []byte { return appendFloat(b, e.Until) })
		}},
	{Name: "actor", Type: Addr, Doc: "who is behind the incident: the initiator, or the target when many failed to reach it",
		Append: func(b []byte, r *Anomaly) []byte { return appendAddr(b, &r.Actor) }},
	{Name: "id.orig_h", Type: Addr, Doc: "originator of the conversation",
		Append: func(b []byte, r *Anomaly) []byte { return appendAddr(b, &r.OrigH) }},
	{Name: "id.resp_h", Type: Addr, Doc: "responder",
		Append: func(b []byte, r *Anomaly) []byte { return appendAddr(b, &r.RespH) }},
	{Name: "id.resp_p", Type: Port, Doc: "its port that most bytes were sent to; beyond 4 ports that of the first SYN, else packet",
		Append: func(b []byte, r *Anomaly) []byte { return appendUint(b, r.RespP) }},
	{Name: "proto", Type: Enum, Doc: "tcp, udp, icmp or unknown_transport",
		Append: func(b []byte, r *Anomaly) []byte { return appendText(b, r.Proto) }},
	{Name: "service", Type: String, Doc: "protocol and that port, as in tcp/22",
		Append: func(b []byte, r *Anomaly) []byte { return appendOptional(b, r.Service) }},
	{Name: "score", Type: Double, Doc: "distance to the nearest cluster in scaled units",
		Append: func(b []byte, r *Anomaly) []byte { return appendFloat(b, r.Score) }},
	{Name: "score_p", Type: Double, Doc: "-log10 of the share of earlier scores at or above this one",
		Append: func(b []byte, r *Anomaly) []byte { return appendFloat(b, r.ScoreP) }},
	{Name: "cluster", Type: Number, Doc: "name of the nearest cluster, as in kmeans.log",
		Append: func(b []byte, r *Anomaly) []byte { return appendInt(b, r.Cluster) }},
	{Name: "cluster_size", Type: Number, Doc: "conversations of the window that are in it",
		Append: func(b []byte, r *Anomaly) []byte { return appendInt(b, r.ClusterSize) }},
	{Name: "cluster_share", Type: Double, Doc: "share of all conversations that are in it, 0 to 1",
		Append: func(b []byte, r *Anomaly) []byte { return appendFloat(b, r.ClusterShare) }},
	{Name: "k", Type: Number, Doc: "clusters of the model",
		Append: func(b []byte, r *Anomaly) []byte { return appendInt(b, r.K) }},
	{Name: "x", Type: Double, Doc: "first principal component, as in vectors.log",
		Append: func(b []byte, r *Anomaly) []byte { return appendFloat(b, r.X) }},
	{Name: "y", Type: Double, Doc: "second principal component",
		Append: func(b []byte, r *Anomaly) []byte { return appendFloat(b, r.Y) }},
	{Name: "first", Type: Time, Doc: "its first packet in the window, by the order of handling",
		Append: func(b []byte, r *Anomaly) []byte { return appendFloat(b, r.First) }},
	{Name: "last", Type: Time, Doc: "its last packet in the window, likewise",
		Append: func(b []byte, r *Anomaly) []byte { return appendFloat(b, r.Last) }},
	{Name: "orig_pkts", Type: Number, Doc: "packets from the originator in the window",
		Append: func(b []byte, r *Anomaly) []byte { return appendUint(b, r.OrigPkts) }},
	{Name: "orig_bytes", Type: Number, Doc: "bytes of its IP packets",
		Append: func(b []byte, r *Anomaly) []byte { return appendUint(b, r.OrigBytes) }},
	{Name: "resp_pkts", Type: Number, Doc: "packets from the responder in the window",
		Append: func(b []byte, r *Anomaly) []byte { return appendUint(b, r.RespPkts) }},
	{Name: "resp_bytes", Type: Number, Doc: "bytes of its IP packets",
		Append: func(b []byte, r *Anomaly) []byte { return appendUint(b, r.RespBytes) }},
	{Name: "siblings", Type: Number, Doc: "further conversations of the actor above the threshold, which is 0 while baseline is warming",
		Append: func(b []byte, r *Anomaly) []byte { return appendInt(b, r.Siblings) }},
	{Name: "uids", Type: Strings, Doc: "its first connections, up to 5, as in conn.log; absent when none is known",
		Append: func(b []byte, r *Anomaly) []byte { return appendUIDs(b, r.UIDs) }},
	{Name: "msg", Type: String, Doc: "the weightiest reasons in words; absent when nothing is a deviation off",
		Append: func(b []byte, r *Anomaly) []byte { return appendOptional(b, r.Message) }},
	{Name: "why", Type: Records, Doc: "features that make the score, greatest part first: `feature`, `value`, `typical` (of the nearest cluster) and `median` (of the service's past, or of all) in natural units, `z` (value in deviations from the median), `pct` (share of the squared distance, percent)",
		Append: func(b []byte, r *Anomaly) []byte { return appendList(b, r.Why, appendWhy) }},
	{Name: "model", Type: String, Doc: "digest of the model that scored",
		Append: func(b []byte, r *Anomaly) []byte { return appendOptional(b, r.Model) }},
	{Name: "baseline", Type: Enum, Doc: "ok, or warming while too little was seen to judge",
		Append: func(b []byte, r *Anomaly) []byte { return appendText(b, r.Baseline) }},
})

// repeats prints a field of what an end has.
func (r *Anomaly) repeats(b []byte, field func(*Repeats) []byte) []byte {
	if r.Repeats == nil {
		return b
	}
	return field(r.Repeats)
}

func appendWhy(dst []byte, w *Why) []byte {
	dst = appendText(append(dst, `{"feature":`...), w.Feature)
	dst = appendFloat(append(dst, `,"value":`...), w.Value)
	dst = appendFloat(append(dst, `,"typical":`...), w.Typical)
	dst = appendFloat(append(dst, `,"median":`...), w.Median)
	dst = appendFloat(append(dst, `,"z":`...), w.Z)
	dst = appendFloat(append(dst, `,"pct":`...), w.Pct)
	return append(dst, '}')
}
