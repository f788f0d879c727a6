package flowvec_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"pcapdir/analysis/flowvec"
)

var update = flag.Bool("update", false, "rewrite FEATURES.md")

const featuresHead = `# The features of a conversation

Written by ` + "`go test ./analysis/flowvec -update`" + ` from the table in feature.go. f is what the initiator sent, r what the other side sent; L(x) is
ln(1+x). In logs, values are in natural units: what a logarithm was taken of. 5-tuples are counted in each pane, so that in a window of
five panes a connection that lasts counts five times. A feature that is relative is compared with what is usual for its service first.

| feature | definition | least deviation | relative |
|---|---|---|---|
`

// Whoever reads why in anomaly.log finds what a name stands for.
func TestFeaturesPage(t *testing.T) {
	var b strings.Builder
	b.WriteString(featuresHead)
	for _, f := range flowvec.Features() {
		relative := ""
		if f.Rel {
			relative = "yes"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %v | %s |\n", f.Name, f.Doc, f.Floor, relative)
	}
	const path = "FEATURES.md"
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != b.String() {
		t.Errorf("%s differs from the table: run the test with -update (%v)", path, err)
	}
}
