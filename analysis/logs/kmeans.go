package logs

// KMeans is one line of kmeans.log: one report.
type KMeans struct {
	TS         float64
	Window     float64
	Complete   bool // the window lacks nothing: no late data, no cut at either end
	Pairs      int
	K          int
	Inertia    float64
	Iterations int
	Drift      float64
	Clusters   []Cluster
}

// Cluster is one cluster of a report.
type Cluster struct {
	Name     int
	Size     int
	Share    float64
	Spread   float64 // mean distance of its members to the centroid
	HasDrift bool    // the centroid was there before
	Drift    float64 // how far it moved when the model was last fitted, scaled units
	// Centroid is in natural units, Names what its numbers are. Clusters share Names.
	Centroid []float64
	Names    []string
}

// KMeansStream is kmeans.log.
func KMeansStream() Stream[KMeans] { return kmeansStream }

var kmeansStream = newStream("kmeans", "One report: the clusters of one window's conversations.", []Column[KMeans]{
	{Name: "ts", Type: Time, Doc: "end of the window",
		Append: func(b []byte, r *KMeans) []byte { return appendFloat(b, r.TS) }},
	{Name: "window", Type: Interval, Doc: "length of the window",
		Append: func(b []byte, r *KMeans) []byte { return appendFloat(b, r.Window) }},
	{Name: "complete", Type: Bool, Doc: "the window lacks nothing: no late packets, not cut at either end",
		Append: func(b []byte, r *KMeans) []byte { return appendBool(b, r.Complete) }},
	{Name: "pairs", Type: Number, Doc: "conversations in the window",
		Append: func(b []byte, r *KMeans) []byte { return appendInt(b, r.Pairs) }},
	{Name: "k", Type: Number, Doc: "centroids of the model",
		Append: func(b []byte, r *KMeans) []byte { return appendInt(b, r.K) }},
	{Name: "inertia", Type: Double, Doc: "sum of squared distances to the nearest centroid, scaled units",
		Append: func(b []byte, r *KMeans) []byte { return appendFloat(b, r.Inertia) }},
	{Name: "iterations", Type: Number, Doc: "passes of the last fit, until hardly a label changed",
		Append: func(b []byte, r *KMeans) []byte { return appendInt(b, r.Iterations) }},
	{Name: "drift", Type: Double, Doc: "how far centroids that were there before moved when the model was last fitted, on average, scaled units",
		Append: func(b []byte, r *KMeans) []byte { return appendFloat(b, r.Drift) }},
	{Name: "clusters", Type: Records, Doc: "those with members in the window: `name` (kept from report to report), `size` (members), `share` (0 to 1), `spread` (mean distance of its members to the centroid), `drift` (how far its centroid moved when the model was last fitted; absent when it is new) and `centroid` (feature to value, natural units)",
		Append: func(b []byte, r *KMeans) []byte { return appendList(b, r.Clusters, appendCluster) }},
})

func appendCluster(dst []byte, c *Cluster) []byte {
	dst = appendInt(append(dst, `{"name":`...), c.Name)
	dst = appendInt(append(dst, `,"size":`...), c.Size)
	dst = appendFloat(append(dst, `,"share":`...), c.Share)
	dst = appendFloat(append(dst, `,"spread":`...), c.Spread)
	if c.HasDrift {
		dst = appendFloat(append(dst, `,"drift":`...), c.Drift)
	}
	dst = appendValues(append(dst, `,"centroid":`...), c.Names, c.Centroid)
	return append(dst, '}')
}

// appendValues prints an object of names and values.
func appendValues(dst []byte, names []string, values []float64) []byte {
	dst = append(dst, '{')
	for i, v := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendText(dst, names[i]), ':')
		dst = appendFloat(dst, v)
	}
	return append(dst, '}')
}
