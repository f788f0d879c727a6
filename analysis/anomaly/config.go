// Package anomaly says which conversations of a window are unlike what was
// normal, how much, and why. For each length of window it keeps a baseline of
// past vectors, scales by it, fits centroids to it, scores the window by the
// distance to the nearest centroid, and groups what is far into incidents.
//
// A report is a pure function of the configuration and of the panes so far: no
// clock, no map order and no number of shards or cores shows in it.
package anomaly

import "time"

// Config says how to watch. Times are event time.
type Config struct {
	Asura         bool // report as package asura does, without a past: Budget and all from WarmUp on have no effect then
	Pane          time.Duration
	Windows       []time.Duration // whole panes; each has a baseline and a report of its own
	K             int             // centroids; 0: a fifth of the baseline, from 4 to 64
	Seed          uint64
	MaxIterations int
	Budget        float64 // alerts per hour and window that the threshold aims at
	Lines         int     // most lines per report
	Sample        int     // most conversations of each report that it shows
	Full          bool    // with all features

	// No line is labelled anomalous before WarmUp has passed since the first
	// pane and the baseline holds WarmVectors.
	WarmUp      time.Duration
	WarmVectors int

	Baseline int           // most vectors kept
	Age      time.Duration // how long they, and past scores, count
	// Guard is the share of each window, its farthest, that is not learned:
	// a long attack must not become normal.
	Guard float64

	// The same alert again is held back for Mute unless its score has grown by MuteGrowth.
	Mute       time.Duration
	MuteGrowth float64
}

// DefaultConfig is windows of one and five minutes and ten alerts an hour.
func DefaultConfig() Config {
	return Config{
		Pane: time.Minute, Windows: []time.Duration{time.Minute, 5 * time.Minute},
		Seed: 1, MaxIterations: 100, Budget: 10, Lines: 5, Sample: 100,
		WarmUp: 240 * time.Second, WarmVectors: 200,
		Baseline: 5000, Age: 24 * time.Hour, Guard: 0.01,
		Mute: time.Hour, MuteGrowth: 0.25,
	}
}

const (
	mostClusters  = 64
	mostNamed     = 256 // rows keep theirs in a byte
	leastClusters = 4
	rowsPerK      = 5
	// leastBaseline is how many vectors make a model that can score: as many
	// as the fewest clusters want.
	leastBaseline = leastClusters * rowsPerK
)

// Search is a Config.K that has k chosen: doubled from 4 as long as that brings
// vectors that were held out nearer to their centroids.
const Search = -1

// clusters is k for a baseline of n vectors, the most of a search.
func (c *Config) clusters(n int) int {
	if c.K > 0 {
		return min(c.K, mostNamed)
	}
	return min(mostClusters, max(leastClusters, n/rowsPerK))
}
