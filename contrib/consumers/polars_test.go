package consumers

import "testing"

// readFrame reads a log into a frame, and prints that.
const readFrame = `
const pl = require(process.env.POLARS_NODE);
const frame = pl.scanJson(process.argv[1], { inferSchemaLength: null }).collectSync();
process.stdout.write(frame.writeJSON({ format: "lines" }));
`

// polars gives every line of every log back as it was.
func TestPolars(t *testing.T) {
	run := inNode(t, "POLARS_NODE", "nodejs-polars", readFrame)
	for log, file := range logFiles(t) {
		sameLines(t, "polars", log, read(t, file), run(file))
	}
}
