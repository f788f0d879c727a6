package pcapfile

import (
	"errors"
	"fmt"
	"io"
)

// Errors of NewReader for input that is no capture at all.
var (
	// ErrEmpty says that there were no bytes.
	ErrEmpty = errors.New("empty file")
	// ErrNotCapture says that the first bytes, which the error shows, are those
	// of neither pcap nor pcapng nor snoop.
	ErrNotCapture = errors.New("not a capture")
)

// DamageError says that a capture cannot be framed any further. All records
// before it have been delivered.
type DamageError struct {
	// Offset is where the damaged record or block starts in the stream.
	Offset int64
	// Reason says what is wrong. Records are counted from 1 in it, as other
	// tools show them.
	Reason string
	// Err is io.ErrUnexpectedEOF where the capture was cut short, or the error
	// of the decompressor, or nil where the bytes themselves are wrong.
	Err error
}

// Error is the reason with its place.
func (e *DamageError) Error() string {
	s := fmt.Sprintf("%s at offset %d", e.Reason, e.Offset)
	if e.Err != nil && e.Err != io.ErrUnexpectedEOF { // a cut is in the reason already
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap is Err.
func (e *DamageError) Unwrap() error { return e.Err }

// Corrupt is implemented by the errors of a stream whose own bytes are damaged
// (a compressed one), in contrast to those of a reader that failed to read.
type Corrupt interface{ Corrupt() bool }

// corrupt says whether err is damage of the stream rather than a failure to read.
func corrupt(err error) bool {
	var c Corrupt
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &c) && c.Corrupt()
}

// short is the error for something at the stream offset at of which want bytes
// could not be had because of err. want is 0 where nobody knows.
func (r *Reader) short(at int64, what string, want int64, err error) error {
	if err != io.EOF && !corrupt(err) {
		return fmt.Errorf("read at offset %d: %w", r.in.base+int64(r.in.end), err)
	}
	have := r.in.base + int64(r.in.end) - at
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	d := &DamageError{Offset: at, Err: err}
	switch {
	case have == 0:
		d.Reason = "stream damaged before " + what
	case want == 0:
		d.Reason = fmt.Sprintf("%s cut short: %d bytes", what, have)
	default:
		d.Reason = fmt.Sprintf("%s cut short: %d of %d bytes", what, have, want)
	}
	return d
}

// notCapture shows the first bytes of what is no capture.
func notCapture(head []byte) error {
	return fmt.Errorf("%w: it starts with % x", ErrNotCapture, head[:min(len(head), 16)])
}
