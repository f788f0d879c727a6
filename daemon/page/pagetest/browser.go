// Package pagetest looks at pages with a real browser: Chromium without a window, over its
// debugging protocol.
package pagetest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long a page may take to become what a test waits for.
const patience = 30 * time.Second

// Browser is one tab.
type Browser struct {
	t       testing.TB
	to      *os.File
	session string
	id      int
	answers chan message

	mu       sync.Mutex
	problems []string
}

// message is what goes either way.
type message struct {
	ID      int             `json:"id,omitempty"`
	Session string          `json:"sessionId,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   json.RawMessage `json:"error,omitempty"`
}

// Open starts a browser that ends with the test, which is skipped where there is none.
func Open(t testing.TB) *Browser {
	t.Helper()
	binary := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			binary = path
			break
		}
	}
	if binary == "" {
		t.Skip("no Chromium is installed")
	}
	fromUs, toBrowser, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	fromBrowser, toUs, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"--headless=new", "--remote-debugging-pipe", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--user-data-dir=" + t.TempDir(), "about:blank"}
	if os.Getuid() == 0 {
		args = append([]string{"--no-sandbox"}, args...) // it refuses to be root with one
	}
	cmd := exec.Command(binary, args...)
	cmd.ExtraFiles = []*os.File{fromUs, toUs} // 3 and 4
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = fromUs.Close(), toUs.Close() // the browser has them
	b := &Browser{t: t, to: toBrowser, answers: make(chan message, 1)}
	t.Cleanup(func() {
		_ = toBrowser.Close() // then the browser ends
		ended := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		ended.Stop()
	})
	go b.listen(fromBrowser)
	var target struct{ TargetID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var session struct{ SessionID string }
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &session)
	b.session = session.SessionID
	for _, domain := range []string{"Runtime.enable", "Log.enable", "Page.enable"} {
		b.call(domain, nil, nil)
	}
	return b
}

// listen hears answers, and what goes wrong on the page.
func (b *Browser) listen(from *os.File) {
	defer close(b.answers)
	defer func() { _ = from.Close() }() // read to its end
	r := bufio.NewReader(from)
	for {
		text, err := r.ReadBytes(0)
		if err != nil {
			return
		}
		var m message
		if err := json.Unmarshal(bytes.TrimSuffix(text, []byte{0}), &m); err != nil {
			return
		}
		switch m.Method {
		case "":
			b.answers <- m
		case "Runtime.exceptionThrown", "Log.entryAdded":
			b.mu.Lock()
			b.problems = append(b.problems, string(m.Params))
			b.mu.Unlock()
		}
	}
}

// call has the browser do something, and decodes its answer into result.
func (b *Browser) call(method string, params, result any) {
	b.t.Helper()
	if params == nil {
		params = struct{}{}
	}
	text, err := json.Marshal(params)
	if err != nil {
		b.t.Fatal(err)
	}
	b.id++
	text, err = json.Marshal(message{ID: b.id, Session: b.session, Method: method, Params: text})
	if err == nil {
		_, err = b.to.Write(append(text, 0))
	}
	if err != nil {
		b.t.Fatalf("%s: %v", method, err)
	}
	select {
	case m, ok := <-b.answers:
		if !ok || m.ID != b.id || m.Error != nil {
			b.t.Fatalf("%s: the browser answered %+v", method, m)
		}
		if result == nil {
			return
		}
		if err := json.Unmarshal(m.Result, result); err != nil {
			b.t.Fatalf("%s: %v", method, err)
		}
	case <-time.After(patience):
		b.t.Fatalf("%s: the browser does not answer", method)
	}
}

// Size makes the window so large, in pixels.
func (b *Browser) Size(width, height int) {
	b.t.Helper()
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}, nil)
}

// Go opens a page.
func (b *Browser) Go(url string) {
	b.t.Helper()
	var answer struct{ ErrorText string }
	b.call("Page.navigate", map[string]any{"url": url}, &answer)
	if answer.ErrorText != "" {
		b.t.Fatalf("%s: %s", url, answer.ErrorText)
	}
}

// Eval is what an expression gives on the page, as text.
func (b *Browser) Eval(expression string) string {
	b.t.Helper()
	var answer struct {
		Result           struct{ Value any }
		ExceptionDetails json.RawMessage
	}
	b.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true}, &answer)
	if answer.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s", expression, answer.ExceptionDetails)
	}
	return fmt.Sprint(answer.Result.Value)
}

// Text is what can be read on the page.
func (b *Browser) Text() string {
	b.t.Helper()
	return b.Eval("document.body ? document.body.innerText : ''")
}

// Await waits until all these can be read on the page.
func (b *Browser) Await(all ...string) {
	b.t.Helper()
	var text string
	missing := all
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		text = b.Text()
		missing = slices.DeleteFunc(slices.Clone(all), func(s string) bool { return strings.Contains(text, s) })
		if len(missing) == 0 {
			return
		}
	}
	b.t.Fatalf("%q cannot be read on the page:\n%s", missing, text)
}

// Sound fails the test where the page had an error, but for one that says what is expected,
// broke its policy, or is wider than its window.
func (b *Browser) Sound(expected ...string) {
	b.t.Helper()
	b.mu.Lock()
	problems := b.problems
	b.mu.Unlock()
	for _, p := range problems {
		if !slices.ContainsFunc(expected, func(s string) bool { return strings.Contains(p, s) }) {
			b.t.Errorf("on the page: %s", p)
		}
	}
	if sizes := b.Eval("document.documentElement.scrollWidth + ' in ' + window.innerWidth"); b.Eval("document.documentElement.scrollWidth <= window.innerWidth") != "true" {
		b.t.Errorf("the page is wider than its window: %s", sizes)
	}
}
