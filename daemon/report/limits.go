package report

// What is kept of logs of any length. The page says what was left out.
const (
	maxLine = 4 << 20 // bytes of a line; a report of 64 clusters has 60 KB

	newestReports   = 120 // with clusters and points, whatever is in them
	alertReports    = 40  // and those of the highest alerts
	reportPoints    = 300 // conversations of a report
	reportClusters  = 40  // the biggest of a report
	clusterTells    = 4   // features that set a cluster apart
	clusterPlain    = 5   // and numbers of a centroid that have no words: as many as package asura has
	bestAlerts      = 500 // by score
	newestIncidents = 800 // lines of anomaly.log, whatever their label
	reportIncidents = 20  // lines of one of the alertReports
	incidentWhy     = 12  // features of an incident
	incidentUIDs    = 20
	failedFiles     = 100
	trafficColumns  = 480 // stretches of time in the picture of the traffic
	trafficNames    = 64  // services that are told apart while reading
	trafficSeries   = 7   // and in the picture, the last being the rest
	textLength      = 400 // bytes of one text
	foundFiles      = 10_000
)

// Bounds of what a number may be: beyond them a line is damaged, whatever it says.
const (
	lastTime    = 253402300799.0 // the end of the year 9999
	maxInterval = 1e9            // seconds, 31 years
	maxCount    = 1e18
	maxDouble   = 1e12
	maxName     = 1e9 // of clusters
	maxClusters = 1024
)

// cut is a text as the page shows it.
func cut(text string) string {
	if len(text) <= textLength {
		return text
	}
	at := textLength
	for at > 0 && text[at]&0xc0 == 0x80 { // not inside a character
		at--
	}
	return text[:at] + "…"
}

// addNewest appends x to a list of which the last most count: at most twice as
// many are held.
func addNewest[T any](list []T, x T, most int) []T {
	list = append(list, x)
	if len(list) >= 2*most {
		n := copy(list, list[len(list)-most:])
		clear(list[n:])
		list = list[:n]
	}
	return list
}

// newest is the end of such a list.
func newest[T any](list []T, most int) []T { return list[max(0, len(list)-most):] }
