package logs

// Coverage is one line of coverage.log: the time that the captures of one source
// cover, since the start of the process.
type Coverage struct {
	TS              float64 // wall clock
	Source          string  // directory
	Captures        uint64  // with packets
	FirstTS, LastTS float64
	Covered         float64 // seconds
	Overlap         float64 // seconds covered more than once
	Gaps            uint64
	Missing         float64 // seconds in gaps
	Longest         []Gap
}

// Gap is a stretch of time without a capture.
type Gap struct{ FromTS, ToTS float64 }

// CoverageStream is coverage.log.
func CoverageStream() Stream[Coverage] { return coverageStream }

var coverageStream = newStream("coverage", "The time that the captures of one directory cover, since the start.", []Column[Coverage]{
	{Name: "ts", Type: Time, Doc: "wall clock",
		Append: func(b []byte, r *Coverage) []byte { return appendFloat(b, r.TS) }},
	{Name: "source", Type: String, Doc: "the directory",
		Append: func(b []byte, r *Coverage) []byte { return appendText(b, r.Source) }},
	{Name: "captures", Type: Number, Doc: "files with packets that came from it",
		Append: func(b []byte, r *Coverage) []byte { return appendUint(b, r.Captures) }},
	{Name: "first_ts", Type: Time, Doc: "least stamp of them",
		Append: func(b []byte, r *Coverage) []byte { return appendFloat(b, r.FirstTS) }},
	{Name: "last_ts", Type: Time, Doc: "greatest stamp of them",
		Append: func(b []byte, r *Coverage) []byte { return appendFloat(b, r.LastTS) }},
	{Name: "covered", Type: Interval, Doc: "time between the first and last stamp of some file",
		Append: func(b []byte, r *Coverage) []byte { return appendFloat(b, r.Covered) }},
	{Name: "overlap", Type: Interval, Doc: "time covered more than once, summed over files: two interfaces in one directory, or copies",
		Append: func(b []byte, r *Coverage) []byte { return appendFloat(b, r.Overlap) }},
	{Name: "gaps", Type: Number, Doc: "stretches of more than a second that no file covers: lost files, or silence",
		Append: func(b []byte, r *Coverage) []byte { return appendUint(b, r.Gaps) }},
	{Name: "missing", Type: Interval, Doc: "time in those",
		Append: func(b []byte, r *Coverage) []byte { return appendFloat(b, r.Missing) }},
	{Name: "longest_gaps", Type: Records, Doc: "the ten longest, as from_ts and to_ts; absent when there is none",
		Append: func(b []byte, r *Coverage) []byte {
			return appendList(b, r.Longest, func(b []byte, g *Gap) []byte {
				b = appendFloat(append(b, `{"from_ts":`...), g.FromTS)
				b = appendFloat(append(b, `,"to_ts":`...), g.ToTS)
				return append(b, '}')
			})
		}},
})
