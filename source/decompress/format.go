// Package decompress recognises compressed streams by their magic bytes and
// inflates them. A new format is one row in the table and one file.
//
// There is no limit on how far a stream may expand. A decoder's memory is bounded
// by its format's window, whatever comes out is framed and dropped as it
// streams by, and a capture of one repeated packet honestly expands a
// thousandfold: a limit would lose it and save nothing.
package decompress

import (
	"bytes"
	"io"
)

// Format is how a stream is compressed. It indexes the table.
type Format uint8

// The formats.
const (
	Plain Format = iota
	Gzip
	Zstd
)

// HeadLen is how many bytes of a stream Detect wants to see.
const HeadLen = 4

// codec is one format: its name in logs, the test of a stream's first bytes,
// and its decoder.
type codec struct {
	name   string
	begins func(head []byte) bool
	open   func(src io.Reader) (io.ReadCloser, error)
}

var codecs = [...]codec{
	Plain: {"", func([]byte) bool { return false }, openPlain},
	Gzip:  {"gzip", isGzip, openGzip},
	Zstd:  {"zstd", isZstd, openZstd},
}

// String is the format's name in logs: empty for a plain stream.
func (f Format) String() string { return codecs[f].name }

// Detect is the format of a stream that begins with head, by its magic bytes
// alone. What is not recognised, or shorter than HeadLen, is Plain.
func Detect(head []byte) Format {
	for f, c := range codecs {
		if len(head) >= HeadLen && c.begins(head) {
			return Format(f)
		}
	}
	return Plain
}

// hasMagic says whether head begins with magic.
func hasMagic(head []byte, magic string) bool { return bytes.HasPrefix(head, []byte(magic)) }
