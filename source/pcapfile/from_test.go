package pcapfile_test

import (
	"bytes"
	"testing"

	"pcapdir/source/pcapfile"
	"pcapdir/source/pcapfile/pcaptest"
)

// Read from any of its records, a file holds what it holds there, in the same
// places, and its damage is the same.
func TestFromARecordOn(t *testing.T) {
	recs := []pcapfile.Record{}
	for i := range 20 {
		recs = append(recs, pcapfile.Record{TS: 1e9, Wire: 100, LinkType: 1, Data: make([]byte, 2*i)})
	}
	var b bytes.Buffer
	if err := pcaptest.WritePcap(&b, pcaptest.PcapOptions{}, recs); err != nil {
		t.Fatal(err)
	}
	file := b.Bytes()[:b.Len()-3]
	_, damage := pcaptest.ReadAll(bytes.NewReader(file))
	at := int64(24)
	for i := range recs {
		in, err := pcapfile.NewReader(pcapfile.From(bytes.NewReader(file), bytes.NewReader(file[at:])), 64)
		if err != nil {
			t.Fatal(err)
		}
		in.Place(uint64(i), at)
		if in.Offset() != at {
			t.Errorf("record %d: at %d, want %d", i, in.Offset(), at)
		}
		rest, err := pcaptest.Rest(in)
		if len(rest) != len(recs)-1-i || len(rest) > 0 && len(rest[0].Data) != 2*i || err == nil || err.Error() != damage.Error() {
			t.Errorf("record %d: %d records, %v, want %v", i, len(rest), err, damage)
		}
		at += int64(16 + 2*i)
	}
}
