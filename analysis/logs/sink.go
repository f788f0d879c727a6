package logs

import (
	"io"
	"sort"
	"time"
)

// Sink is where the lines of the logs go. It is not for several goroutines at once.
//
// The commit makes lines durable before it appends them, with the Position they
// belong at; after a crash or an error it repeats the Append with the same
// arguments. So Append must be idempotent: however often it was cut short before,
// in the end the log holds the lines once.
type Sink interface {
	// Position is where the next line of the log goes; the zero Position when
	// the log does not exist.
	Position(log string) (Position, error)

	// Append puts lines at the position in the log that an earlier
	// Position or Append named, and returns the position behind them. If the log
	// is no longer what at names, the lines go to the end of what is there now,
	// and the result says Replaced. It does not keep lines, and touches nothing
	// when there are none.
	Append(log string, at Position, lines Lines) (Position, error)

	// Due says whether the log's file is full, and which turn empties the log. What
	// is no file of ours alone is never full.
	Due(log string, by Rotation, now time.Time) (t Turn, due bool)

	// Rotate does a turn, durably after the next Sync: the next line of the log begins a
	// new file. It does nothing where that was done before, or by someone else.
	Rotate(t Turn) error

	// Sync makes all that was appended durable. After an error, Append must be
	// repeated before Sync means anything: the kernel forgets pages that it
	// could not write.
	Sync() error
}

// Position names a place in a log: the file, and how long it is there. The zero
// Position is the beginning of a log that does not exist yet.
type Position struct {
	Dev, Ino uint64
	Length   int64

	// Torn says that what is there ends in half a line, as a full disk or a killed
	// batch leaves one: whoever appends ends it first. It means nothing in a position to
	// append at.
	Torn bool

	// Replaced says that Append found the log removed, replaced or changed by
	// someone else. It means nothing in a position to append at.
	Replaced bool
}

// Lines are whole lines of a log: *bytes.Reader and *io.SectionReader are such.
type Lines interface {
	io.ReaderAt
	Size() int64
}

// Join is all parts, one behind the other.
func Join(parts ...Lines) Lines {
	j := &joined{parts: parts}
	for _, p := range parts {
		j.starts = append(j.starts, j.size)
		j.size += p.Size()
	}
	return j
}

type joined struct {
	parts  []Lines
	starts []int64
	size   int64
}

// Size implements Lines.
func (j *joined) Size() int64 { return j.size }

// ReadAt implements io.ReaderAt.
func (j *joined) ReadAt(b []byte, off int64) (n int, err error) {
	i := max(0, sort.Search(len(j.starts), func(i int) bool { return j.starts[i] > off })-1)
	for ; i < len(j.parts) && n < len(b); i++ {
		from := off + int64(n) - j.starts[i]
		want := int(min(int64(len(b)-n), j.parts[i].Size()-from))
		if want <= 0 {
			continue
		}
		got, err := j.parts[i].ReadAt(b[n:n+want], from)
		if n += got; got < want {
			return n, err
		}
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}
