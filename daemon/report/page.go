package report

import (
	"embed"
	"io"

	"pcapdir/daemon/page"
)

//go:embed page
var files embed.FS

// scripts are what the page has of its own, in order.
var scripts = []string{"head.js", "traffic.js", "main.js"}

// WritePage writes r as one HTML page that needs nothing else. The same logs give
// the same page.
func (r *Report) WritePage(w io.Writer) error {
	p := page.Page{Title: "pcapdir report", Data: r}
	for _, name := range scripts {
		p.Scripts = append(p.Scripts, page.Text(files, "page/"+name))
	}
	return p.Write(w)
}
