package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestProgress(t *testing.T) {
	var b bytes.Buffer
	p := newProgress(&b, "files") // no terminal
	p.next = time.Time{}
	p.show(1, 2)
	p.end()
	if b.Len() > 0 {
		t.Errorf("in a pipe: %q", b.String())
	}
	p.w = &b
	p.show(0, 0)
	if p.next = time.Now().Add(time.Hour); b.Len() > 0 {
		t.Errorf("of nothing: %q", b.String())
	}
	p.show(1, 2)
	if b.Len() > 0 {
		t.Errorf("too soon: %q", b.String())
	}
	p.next = time.Time{}
	p.show(50, 200)
	if want := "\r[" + strings.Repeat("#", 10) + strings.Repeat(" ", 30) + "] 50 of 200 files "; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
	p.end()
	if !strings.HasSuffix(b.String(), "\r\x1b[K") {
		t.Errorf("it stays: %q", b.String())
	}
}
