// Package decoded reads captures into memory as packets that shards would get: for
// measurements and tests that need no files, no order and no hash.
package decoded

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"pcapdir/source/decode"
	"pcapdir/source/decompress"
	"pcapdir/source/packet"
	"pcapdir/source/pcapfile"
)

// Read appends the IP packets of a capture, plain or packed, in the order of the file. Their effective time is the highest stamp so far; what
// cannot be decoded is left out.
func Read(dst []packet.Packet, path string) (_ []packet.Packet, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	buffered := bufio.NewReaderSize(file, 1<<16)
	head, _ := buffered.Peek(decompress.HeadLen) // too short is pcapfile's to report
	in, err := decompress.NewReader(decompress.Detect(head), buffered)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	defer func() { _ = in.Close() }() // it was read to its end
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
