package report

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

//go:embed page
var files embed.FS

// scripts are the parts of the page's script, in order.
var scripts = []string{"dom.js", "words.js", "head.js", "traffic.js", "scatter.js", "window.js", "incidents.js", "main.js"}

// WritePage writes r as one HTML page that needs nothing else. The same logs give
// the same page.
func (r *Report) WritePage(w io.Writer) error {
	style := text("style.css")
	var script strings.Builder
	script.WriteString("\"use strict\";\n")
	for _, name := range scripts {
		script.WriteString(text(name))
	}
	head, rest, _ := strings.Cut(text("page.html"), "{data}")
	head = strings.NewReplacer("{policy}", policy(style, script.String()), "{style}", style).Replace(head)
	if _, err := io.WriteString(w, head); err != nil {
		return err
	}
	// Encode escapes <, >, & and the line separators of Unicode, so that no text
	// ends the element or begins another.
	if err := json.NewEncoder(w).Encode(r); err != nil {
		return err
	}
	_, err := io.WriteString(w, strings.Replace(rest, "{script}", script.String(), 1))
	return err
}

// policy lets the browser run this style and this script, and load nothing.
func policy(style, script string) string {
	return fmt.Sprintf("default-src 'none'; base-uri 'none'; form-action 'none'; style-src '%s'; script-src '%s'", digest(style), digest(script))
}

// digest is the hash by which a policy names what stands inside an element.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// text is an embedded file.
func text(name string) string {
	b, err := files.ReadFile("page/" + name)
	if err != nil {
		panic("BUG: " + err.Error()) // it was embedded at build time
	}
	return string(b)
}
