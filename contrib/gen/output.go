package main

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"pcapdir/contrib/gen/traffic"
)

// compressor wraps w; closing it does not close w. Bytes depend on nothing but the
// library's version: one goroutine, no names or times in headers.
func compressor(w io.Writer, kind string) (io.WriteCloser, error) {
	switch kind {
	case "gzip":
		return gzip.NewWriter(w), nil
	case "zstd":
		return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
	}
	return plain{w}, nil
}

type plain struct{ io.Writer }

func (plain) Close() error { return nil }

func writeOne(g *traffic.Generator, o options, stdout io.Writer) (s traffic.Summary, err error) {
	w := stdout
	if o.out != "-" {
		f, err := os.Create(o.out)
		if err != nil {
			return s, err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		w = f
	}
	c, err := compressor(w, o.compress)
	if err != nil {
		return s, err
	}
	s, err = traffic.Write(c, g, o.container)
	return s, errors.Join(err, c.Close())
}

// part is the file of one interface that is being written.
type part struct {
	number int
	file   *os.File
	c      io.WriteCloser
	buf    []byte
}

const flushAt = 256 << 10

func (p *part) flush() error {
	_, err := p.c.Write(p.buf)
	p.buf = p.buf[:0]
	return err
}

func (p *part) close() error {
	return errors.Join(p.flush(), p.c.Close(), p.file.Close())
}

// writeSplit writes one file per interface at a time: few are open, however many
// there will be.
func writeSplit(g *traffic.Generator, o options) (s traffic.Summary, err error) {
	split := traffic.Split{Files: o.files, Packets: g.Config().Packets}
	parts := map[int]*part{}
	defer func() {
		for _, p := range parts {
			err = errors.Join(err, p.close())
		}
	}()
	for f := g.Next(); f != nil; f = g.Next() {
		number := split.File(s.Packets, f)
		lane := number % min(4, o.files)
		p := parts[lane]
		if p == nil || p.number != number {
			if p != nil {
				delete(parts, lane)
				if err := p.close(); err != nil {
					return s, err
				}
			}
			if p, err = open(o, lane, number); err != nil {
				return s, err
			}
			parts[lane] = p
			s.Bytes += uint64(len(p.buf))
		}
		before := len(p.buf)
		p.buf = o.container.AppendFrame(p.buf, f)
		s.Add(f, len(p.buf)-before)
		if len(p.buf) >= flushAt {
			if err := p.flush(); err != nil {
				return s, err
			}
		}
	}
	return s, nil
}

// open begins a file whose name says nothing about its place in time.
func open(o options, lane, number int) (*part, error) {
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return nil, err
	}
	name := fmt.Sprintf("eth%d-%08x.%s", lane, crc32.ChecksumIEEE(fmt.Append(nil, o.config.Seed, number)), format(o))
	f, err := os.Create(filepath.Join(o.out, name))
	if err != nil {
		return nil, err
	}
	c, err := compressor(f, o.compress)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &part{number: number, file: f, c: c, buf: o.container.AppendHeader(nil)}, nil
}

func format(o options) string {
	name := "pcap"
	if o.container.NG {
		name = "pcapng"
	}
	return name + map[string]string{"gzip": ".gz", "zstd": ".zst"}[o.compress]
}
