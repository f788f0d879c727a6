package status

import (
	"bytes"
	"embed"
	"encoding/json"
	"net/http"

	"pcapdir/daemon/page"
)

//go:embed page
var files embed.FS

// scripts are what the page has of its own, in order.
var scripts = []string{"head.js", "lines.js", "spool.js", "main.js"}

// statusPage is the page, the same for everybody: its script asks for what it shows.
func statusPage() []byte {
	p := page.Page{Title: "pcapdir", Live: true}
	for _, name := range scripts {
		p.Scripts = append(p.Scripts, page.Text(files, "page/"+name))
	}
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		panic("BUG: " + err.Error()) // into memory
	}
	return b.Bytes()
}

// showPage answers with the page.
func showPage(html []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		own(w, "text/html; charset=utf-8")
		w.Header().Set("X-Frame-Options", "DENY")
		_, _ = w.Write(html) // whoever asked has gone
	}
}

// showJSON answers with what, as JSON.
func showJSON(w http.ResponseWriter, what any) {
	text, err := json.Marshal(what)
	if err != nil {
		http.Error(w, "BUG: "+err.Error(), http.StatusInternalServerError)
		return
	}
	own(w, "application/json")
	_, _ = w.Write(append(text, '\n')) // likewise
}

// own says of an answer that it is what it says, and nobody keeps it.
func own(w http.ResponseWriter, kind string) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
}
