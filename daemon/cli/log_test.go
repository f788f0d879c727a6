package cli

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"os"
	"syscall"
	"testing"
)

// The journal gets a priority and no time, one line each, whatever is in them.
func TestLogForTheJournal(t *testing.T) {
	var b bytes.Buffer
	log := newLog(&b, slog.LevelDebug, true)
	log.Debug("a")
	log.Info("b", "name", "x\n<0>y")
	log.Warn("c")
	log.Error("d")
	const want = "<7>level=DEBUG msg=a\n<6>level=INFO msg=b name=\"x\\n<0>y\"\n<4>level=WARN msg=c\n<3>level=ERROR msg=d\n"
	if b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
	for _, w := range []any{&b, os.Stderr} {
		if isJournal(w.(io.Writer)) {
			t.Errorf("%T is the journal", w)
		}
	}
	info, err := os.Stderr.Stat()
	if err != nil {
		t.Fatal(err)
	}
	st := info.Sys().(*syscall.Stat_t)
	t.Setenv("JOURNAL_STREAM", fmt.Sprintf("%d:%d", st.Dev, st.Ino))
	if !isJournal(os.Stderr) {
		t.Error("what JOURNAL_STREAM names is not the journal")
	}
	b.Reset()
	newLog(&b, slog.LevelInfo, false).Info("e")
	if !bytes.HasPrefix(b.Bytes(), []byte("time=")) {
		t.Errorf("%q", b.String())
	}
}
