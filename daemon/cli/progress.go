package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// progress is a bar for work that takes long, at a terminal; elsewhere nothing is
// shown.
type progress struct {
	w    io.Writer // nil: nothing is shown
	what string

	mu    sync.Mutex
	next  time.Time
	drawn bool
}

// patience is the time after which work takes long, and between two pictures.
const patience = 300 * time.Millisecond

func newProgress(w io.Writer, what string) *progress {
	p := &progress{what: what, next: time.Now().Add(patience)}
	if f, ok := w.(*os.File); ok {
		if st, err := f.Stat(); err == nil && st.Mode()&os.ModeCharDevice != 0 {
			p.w = w
		}
	}
	return p
}

// show draws the bar if it is time. It may be called from several goroutines.
func (p *progress) show(done, all int) {
	if p.w == nil || all == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if now.Before(p.next) {
		return
	}
	p.next, p.drawn = now.Add(patience), true
	const width = 40
	full := width * done / all
	_, _ = fmt.Fprintf(p.w, "\r[%s%s] %d of %d %s ", strings.Repeat("#", full), strings.Repeat(" ", width-full), done, all, p.what)
}

// end takes the bar away.
func (p *progress) end() {
	if p.drawn {
		_, _ = fmt.Fprint(p.w, "\r\x1b[K")
	}
}
