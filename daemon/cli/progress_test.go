package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestProgressInAPipe(t *testing.T) {
	var b bytes.Buffer
	p := newProgress(&b, true)
	p.show(1, 2, "")
	if b.Len() > 0 {
		t.Errorf("too soon: %q", b.String())
	}
	p.begin, p.next = p.begin.Add(-time.Minute), time.Time{}
	p.show(0, 0, "")
	if b.Len() > 0 {
		t.Errorf("of nothing: %q", b.String())
	}
	p.show(1<<30, 3<<30, "1 of 3 files")
	if got := b.String(); got != "1.0 GiB of 3.0 GiB, 1 of 3 files, 2m0s left\n" {
		t.Errorf("%q", got)
	}
	p.show(2<<30, 3<<30, "")
	p.end()
	if n := strings.Count(b.String(), "\n"); n != 1 {
		t.Errorf("%d lines at once", n)
	}
}

func TestProgressAtATerminal(t *testing.T) {
	var b bytes.Buffer
	p := newProgress(&b, false)
	p.terminal = true
	for i := range int64(3) {
		p.next = time.Time{}
		p.show(50+i, 200, "of a plan")
	}
	for _, want := range []string{"of a plan", "25%", "50/200", "files"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in %q", want, b.String())
		}
	}
	b.Reset()
	p.end()
	if !strings.Contains(b.String(), "\r") || strings.Contains(b.String(), "%") {
		t.Errorf("it stays: %q", b.String())
	}
}
