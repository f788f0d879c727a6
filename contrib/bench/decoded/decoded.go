// Package decoded reads captures into memory as packets that shards would get: for
// measurements and tests that need no files, no order and no hash.
package decoded

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"pcapdir/source/decode"
	"pcapdir/source/decompress"
	"pcapdir/source/packet"
	"pcapdir/source/pcapfile"
)

// Read appends the IP packets of a capture, plain or packed with zstd (by its name),
// in the order of the file. Their effective time is the highest stamp so far; what
// cannot be decoded is left out.
func Read(dst []packet.Packet, path string) (_ []packet.Packet, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	in := io.Reader(file)
	if strings.HasSuffix(path, ".zst") {
		inflated, err := decompress.NewReader(decompress.Zstd, file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		defer func() { _ = inflated.Close() }() // it was read to its end
		in = inflated
	}
	r, err := pcapfile.NewReader(in, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var rec pcapfile.Record
	last := -packet.MaxTime
	for {
		if err := r.Next(&rec); errors.Is(err, io.EOF) {
			return dst, nil
		} else if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		var p packet.Packet
		var inside decode.Inside
		last = max(last, rec.TS)
		if decode.Decode(rec.LinkType, rec.Data, rec.Wire, &p, &inside) == packet.DropNone {
			p.TS, p.Eff = rec.TS, last
			dst = append(dst, p)
		}
	}
}
