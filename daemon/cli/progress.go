package cli

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress shows how far work is that takes long: at a terminal a bar with rate and
// remaining time, elsewhere a line now and then.
type progress struct {
	w        io.Writer
	terminal bool
	bytes    bool // what is counted; else files

	mu    sync.Mutex
	begin time.Time
	next  time.Time // when something is shown
	bar   *progressbar.ProgressBar
}

// A bar is shown when work has taken barAfter, and drawn anew when that has passed again;
// a line whenever lineEvery has.
const (
	barAfter  = 300 * time.Millisecond
	lineEvery = 10 * time.Second
)

func newProgress(w io.Writer, bytes bool) *progress {
	p := &progress{w: w, bytes: bytes, begin: time.Now()}
	if f, ok := w.(*os.File); ok {
		st, err := f.Stat()
		p.terminal = err == nil && st.Mode()&os.ModeCharDevice != 0
	}
	p.next = p.begin.Add(p.pause())
	return p
}

func (p *progress) pause() time.Duration {
	if p.terminal {
		return barAfter
	}
	return lineEvery
}

// show says that so much of all is done, and what else there is to say, if it is time. It
// may be called from several goroutines.
func (p *progress) show(done, all int64, about string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if all == 0 || now.Before(p.next) {
		return
	}
	p.next = now.Add(p.pause())
	if !p.terminal {
		_, _ = fmt.Fprintln(p.w, p.line(done, all, now, about))
		return
	}
	if p.bar == nil {
		p.bar = p.newBar(all)
	}
	p.bar.Describe(about)
	_ = p.bar.Set64(done) // it draws to a terminal; what it cannot draw is nobody's loss
}

func (p *progress) newBar(all int64) *progressbar.ProgressBar {
	options := []progressbar.Option{
		progressbar.OptionSetWriter(p.w), progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish(),
		progressbar.OptionSetPredictTime(true), progressbar.OptionShowCount(),
	}
	if p.bytes {
		options = append(options, progressbar.OptionShowBytes(true), progressbar.OptionUseIECUnits(true))
	} else {
		options = append(options, progressbar.OptionShowIts(), progressbar.OptionSetItsString("files"))
	}
	return progressbar.NewOptions64(all, options...)
}

// line is what a log keeps: how far it is, what of, and how long it will take.
func (p *progress) line(done, all int64, now time.Time, about string) string {
	of := fmt.Sprintf("%d of %d files", done, all)
	if p.bytes {
		of = size(done) + " of " + size(all)
	}
	left := ""
	if done > 0 {
		left = ", " + span(now.Sub(p.begin).Seconds()/float64(done)*float64(all-done)) + " left"
	}
	if about != "" {
		about = ", " + about
	}
	return of + about + left
}

// end takes the bar away.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Clear() // as in show
	}
}
