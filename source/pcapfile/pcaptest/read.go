// Package pcaptest makes captures of every shape that package pcapfile reads, and
// reads whole captures into memory, for tests.
package pcaptest

import (
	"bytes"
	"io"

	"pcapdir/source/pcapfile"
)

// ReadAll is every record of the capture in r, each with bytes of its own. At an
// error it returns the records before it as well; a clean end is no error.
func ReadAll(r io.Reader) ([]pcapfile.Record, error) {
	in, err := pcapfile.NewReader(r, 0)
	if err != nil {
		return nil, err
	}
	return Rest(in)
}

// Rest is what is left in an open reader, as ReadAll.
func Rest(in *pcapfile.Reader) ([]pcapfile.Record, error) {
	var recs []pcapfile.Record
	for {
		var rec pcapfile.Record
		if err := in.Next(&rec); err == io.EOF {
			return recs, nil
		} else if err != nil {
			return recs, err
		}
		rec.Data = bytes.Clone(rec.Data)
		recs = append(recs, rec)
	}
}
