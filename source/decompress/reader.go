package decompress

import (
	"errors"
	"fmt"
	"io"
)

// inputBuf is how much compressed input is read at once: decoders ask for a few
// bytes at a time.
const inputBuf = 64 << 10

// CorruptError says that a compressed stream is damaged: errors.Is finds
// io.ErrUnexpectedEOF in it where the stream was cut short. What could be decoded
// has been delivered before it: of zstd, lz4 and bzip2 all whole blocks, of gzip all
// but what the last two bytes before a cut may hold; of xz, where bytes are wrong and
// not missing, all but what was decoded of the last read.
type CorruptError struct {
	Format Format
	Err    error
}

// Error names the format.
func (e *CorruptError) Error() string { return fmt.Sprintf("%s stream: %v", e.Format, e.Err) }

// Unwrap is the decoder's error.
func (e *CorruptError) Unwrap() error { return e.Err }

// Corrupt tells this error from those of reading.
func (e *CorruptError) Corrupt() bool { return true }

// NewReader inflates src, which holds a stream of the format f from its first
// byte. Errors are a *CorruptError, or else wrap one of src; both stick. Close
// releases the decoder's memory and must be called; it does not close src.
func NewReader(f Format, src io.Reader) (io.ReadCloser, error) {
	if f == Plain {
		return openPlain(src)
	}
	return newReader(f, src, honest)
}

func newReader(f Format, src io.Reader, limit bomb) (io.ReadCloser, error) {
	s := &source{src: src}
	dec, err := codecs[f].open(s)
	if err != nil {
		return nil, s.explain(f, err)
	}
	return &reader{format: f, src: s, dec: dec, limit: limit}, nil
}

// reader is a decoder whose errors say whose fault they are.
type reader struct {
	format Format
	src    *source
	dec    io.ReadCloser
	limit  bomb
	out    int64 // bytes
}

// Read inflates into p.
func (r *reader) Read(p []byte) (int, error) {
	n, err := r.dec.Read(p)
	if r.out += int64(n); err == nil {
		err = r.limit.check(r.src.in, r.out)
	}
	if err != nil && err != io.EOF {
		err = r.src.explain(r.format, err)
	}
	return n, err
}

// Close closes the decoder.
func (r *reader) Close() error { return r.dec.Close() }

// source remembers how reading the compressed bytes failed: decoders report some
// such failures as if the stream had ended.
type source struct {
	src io.Reader
	in  int64 // bytes
	err error
}

// Read reads compressed bytes.
func (s *source) Read(p []byte) (int, error) {
	n, err := s.src.Read(p)
	s.in += int64(n)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// explain is the decoder's error err as the caller sees it.
func (s *source) explain(f Format, err error) error {
	if s.err != nil && !errors.Is(s.err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("read %s stream: %w", f, s.err)
	}
	return &CorruptError{Format: f, Err: err}
}
