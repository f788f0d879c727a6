package cli

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"os"
	"syscall"
)

// newLog is the operational log: text on standard error. For the journal, which stamps
// lines itself, each begins with its priority instead of its time.
func newLog(w io.Writer, level slog.Level, journal bool) *slog.Logger {
	o := &slog.HandlerOptions{Level: level}
	if journal {
		w = &prioritized{w}
		o.ReplaceAttr = func(groups []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey && len(groups) == 0 {
				return slog.Attr{}
			}
			return a
		}
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// isJournal says whether w leads to the journal: systemd tells by device and inode
// (systemd.exec(5), JOURNAL_STREAM), for services may have their output elsewhere.
func isJournal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	if err != nil {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && os.Getenv("JOURNAL_STREAM") == fmt.Sprintf("%d:%d", st.Dev, st.Ino)
}

// priorities are the levels of slog as sd-daemon(3) has them.
var priorities = []struct{ level, priority string }{
	{"level=ERROR", "<3>"}, {"level=WARN", "<4>"}, {"level=INFO", "<6>"}, {"level=DEBUG", "<7>"},
}

// prioritized puts the priority before each line, of which it gets one at a time.
type prioritized struct{ w io.Writer }

// Write writes a line.
func (p *prioritized) Write(line []byte) (int, error) {
	for _, known := range priorities {
		if bytes.HasPrefix(line, []byte(known.level)) {
			n, err := p.w.Write(append([]byte(known.priority), line...))
			return max(0, n-len(known.priority)), err
		}
	}
	return p.w.Write(line)
}
