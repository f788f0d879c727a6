// Package page makes HTML pages that need nothing from anywhere: what pages of pcapdird
// share (elements, words, the pictures and tables of reports, the style), and the policy
// by which a browser runs that and nothing else.
package page

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

//go:embed parts
var parts embed.FS

// scripts are the parts of the script that all pages share, in order. They declare
// functions; what they show is the page's own: report, alerts and state.
var scripts = []string{"dom.js", "words.js", "chart.js", "scatter.js", "window.js", "incidents.js"}

// Page is what one page has of its own.
type Page struct {
	Title   string
	Scripts []string // texts, run in this order behind what is shared
	Data    any      // for its script, as JSON; nil: null
	Live    bool     // its script may ask the server that it came from
}

// Write writes the page. The same data give the same page.
func (p *Page) Write(w io.Writer) error {
	style := part("style.css")
	script := "\"use strict\";\n"
	for _, name := range scripts {
		script += part(name)
	}
	script += strings.Join(p.Scripts, "")
	head, rest, _ := strings.Cut(part("page.html"), "{data}")
	head = strings.NewReplacer("{policy}", p.policy(style, script), "{title}", p.Title, "{style}", style).Replace(head)
	if _, err := io.WriteString(w, head); err != nil {
		return err
	}
	// Encode escapes <, >, & and the line separators of Unicode, so that no text
	// ends the element or begins another.
	if err := json.NewEncoder(w).Encode(p.Data); err != nil {
		return err
	}
	_, err := io.WriteString(w, strings.Replace(rest, "{script}", script, 1))
	return err
}

// policy lets the browser run this style and this script, and load nothing.
func (p *Page) policy(style, script string) string {
	connect := ""
	if p.Live {
		connect = "; connect-src 'self'"
	}
	return fmt.Sprintf("default-src 'none'; base-uri 'none'; form-action 'none'; style-src '%s'; script-src '%s'%s", digest(style), digest(script), connect)
}

// digest is the hash by which a policy names what stands inside an element.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// part is a file that all pages share.
func part(name string) string { return Text(parts, "parts/"+name) }

// Text is a file that was embedded.
func Text(files embed.FS, name string) string {
	b, err := files.ReadFile(name)
	if err != nil {
		panic("BUG: " + err.Error()) // it was embedded at build time
	}
	return string(b)
}
