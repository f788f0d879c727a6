package consumers

import (
	"path/filepath"
	"testing"
)

// readFrame reads a log into a frame, and prints that.
const readFrame = `
const pl = require(process.env.POLARS_NODE);
const frame = pl.scanJson(process.argv[1], { inferSchemaLength: null }).collectSync();
process.stdout.write(frame.writeJSON({ format: "lines" }));
`

// polars gives every line of every log back as it was.
func TestPolars(t *testing.T) {
	run := inNode(t, "POLARS_NODE", "nodejs-polars", readFrame)
	dir := t.TempDir()
	for log, lines := range logLines(t) {
		if lines == "" {
			continue
		}
		file := filepath.Join(dir, log+".log")
		write(t, file, lines)
		sameLines(t, "polars", log, lines, run(file))
	}
}
