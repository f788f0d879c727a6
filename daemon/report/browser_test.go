package report

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"pcapdir/daemon/page/pagetest"
)

// The page draws itself in a browser, wide and on a phone, and its buttons work, also where
// logs are missing.
func TestPageInABrowser(t *testing.T) {
	b := pagetest.Open(t)
	for name, dir := range map[string]string{
		"all logs": smallLogs(t),
		"reports alone": logDir(t, map[string][]string{
			"kmeans": {fmt.Sprintf(kmeansText, 1020.0, false), fmt.Sprintf(kmeansText, 1080.0, true)}, "vectors": {fmt.Sprintf(vectorText, 1020.0, false)}}),
		"connections alone": logDir(t, map[string][]string{"conn": {fmt.Sprintf(connText, 5, "C1", "", 0)}}),
	} {
		path := filepath.Join(t.TempDir(), "page.html")
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := read(t, dir).WritePage(f); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		for _, width := range []int{1280, 390} {
			b.Size(width, 800)
			b.Go("file://" + path)
			b.Await("pcapdir report")
			b.Sound()
		}
		if name != "connections alone" {
			b.Await("report 2 of 2")
			b.Eval(`document.querySelector('[aria-label="Report before"]').click()`)
			b.Await("report 1 of 2", "cut window")
		}
		if name == "all logs" {
			b.Eval(`document.querySelector('.row .expand').click()`)
			b.Await("1000 packets sent (usually 10)", "Show its report")
		}
		b.Sound()
	}
}
