package logs

// Vector is one line of vectors.log: one conversation of one window, as the
// report saw it.
type Vector struct {
	TS, Window   float64
	Actor        [16]byte
	OrigH, RespH [16]byte
	Service      string
	Score        float64
	Cluster      int
	X, Y         float64
	Scored       bool // Score and the place are by a model of the past

	OrigPkts, OrigBytes, RespPkts, RespBytes uint64

	// Features is the vector in natural units and Names what its numbers are; nil
	// unless they are wanted. Lines share Names.
	Features []float64
	Names    []string
}

// VectorStream is vectors.log.
func VectorStream() Stream[Vector] { return vectorStream }

var vectorStream = newStream("vectors", "One conversation of one window, as its report saw it.", []Column[Vector]{
	{Name: "ts", Type: Time, Doc: "end of the window",
		Append: func(b []byte, r *Vector) []byte { return appendFloat(b, r.TS) }},
	{Name: "window", Type: Interval, Doc: "length of the window",
		Append: func(b []byte, r *Vector) []byte { return appendFloat(b, r.Window) }},
	{Name: "actor", Type: Addr, Doc: "whom an incident of it would be told of: its originator, or its responder when many failed to reach that",
		Append: func(b []byte, r *Vector) []byte { return appendAddr(b, &r.Actor) }},
	{Name: "id.orig_h", Type: Addr, Doc: "originator of the conversation",
		Append: func(b []byte, r *Vector) []byte { return appendAddr(b, &r.OrigH) }},
	{Name: "id.resp_h", Type: Addr, Doc: "responder",
		Append: func(b []byte, r *Vector) []byte { return appendAddr(b, &r.RespH) }},
	{Name: "service", Type: String, Doc: "protocol and the responder's port, as id.resp_p in anomaly.log, as in tcp/22",
		Append: func(b []byte, r *Vector) []byte { return appendText(b, r.Service) }},
	{Name: "scored", Type: Bool, Doc: "by a model of the past; false where there was none yet: the score then says nothing",
		Append: func(b []byte, r *Vector) []byte { return appendBool(b, r.Scored) }},
	{Name: "score", Type: Double, Doc: "distance to the nearest cluster in scaled units",
		Append: func(b []byte, r *Vector) []byte { return appendFloat(b, r.Score) }},
	{Name: "cluster", Type: Number, Doc: "name of the nearest cluster, as in kmeans.log",
		Append: func(b []byte, r *Vector) []byte { return appendInt(b, r.Cluster) }},
	{Name: "x", Type: Double, Doc: "first principal component, for pictures, in the units of the clustering",
		Append: func(b []byte, r *Vector) []byte { return appendFloat(b, r.X) }},
	{Name: "y", Type: Double, Doc: "second principal component",
		Append: func(b []byte, r *Vector) []byte { return appendFloat(b, r.Y) }},
	{Name: "orig_pkts", Type: Number, Doc: "packets from the originator in the window",
		Append: func(b []byte, r *Vector) []byte { return appendUint(b, r.OrigPkts) }},
	{Name: "orig_bytes", Type: Number, Doc: "bytes of its IP packets",
		Append: func(b []byte, r *Vector) []byte { return appendUint(b, r.OrigBytes) }},
	{Name: "resp_pkts", Type: Number, Doc: "packets from the responder in the window",
		Append: func(b []byte, r *Vector) []byte { return appendUint(b, r.RespPkts) }},
	{Name: "resp_bytes", Type: Number, Doc: "bytes of its IP packets",
		Append: func(b []byte, r *Vector) []byte { return appendUint(b, r.RespBytes) }},
	{Name: "features", Type: Values, Doc: "the vector, feature to value in natural units; absent unless `vectors.full` is set",
		Append: func(b []byte, r *Vector) []byte {
			if len(r.Features) == 0 {
				return b
			}
			return appendValues(b, r.Names, r.Features)
		}},
})
