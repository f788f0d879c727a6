package pcapfile_test

import (
	"bytes"
	"testing"

	"pcapdir/source/pcapfile"
	"pcapdir/source/pcapfile/pcaptest"
)

// A record beyond the file's snaplen is cut to it, as libpcap does, and the
// records behind it are framed where they are. Zero is no limit.
func TestPcapSnaplenCutsRecords(t *testing.T) {
	recs := []pcapfile.Record{
		{TS: 1e9, Wire: 60, LinkType: 1, Data: bytes.Repeat([]byte{1}, 60)},
		{TS: 2e9, Wire: 5, LinkType: 1, Data: bytes.Repeat([]byte{2}, 5)},
	}
	for _, c := range []struct {
		snaplen uint32
		want    []int
	}{{10, []int{10, 5}}, {60, []int{60, 5}}, {1 << 31, []int{60, 5}}} {
		var b bytes.Buffer
		if err := pcaptest.WritePcap(&b, pcaptest.PcapOptions{SnapLen: c.snaplen}, recs); err != nil {
			t.Fatal(err)
		}
		got, err := pcaptest.ReadAll(&b)
		if err != nil || len(got) != 2 {
			t.Fatalf("snaplen %d: %d records, %v", c.snaplen, len(got), err)
		}
		for i, r := range got {
			if len(r.Data) != c.want[i] || r.Wire != recs[i].Wire || !bytes.HasPrefix(recs[i].Data, r.Data) {
				t.Errorf("snaplen %d: record %d is %+v", c.snaplen, i, r)
			}
		}
	}
}

func TestPcapSnaplenZeroIsNoLimit(t *testing.T) {
	var b bytes.Buffer
	rec := pcapfile.Record{TS: 1e9, Wire: 60, LinkType: 1, Data: bytes.Repeat([]byte{1}, 60)}
	if err := pcaptest.WritePcap(&b, pcaptest.PcapOptions{}, []pcapfile.Record{rec}); err != nil {
		t.Fatal(err)
	}
	file := b.Bytes()
	copy(file[16:20], []byte{0, 0, 0, 0})
	got, err := pcaptest.ReadAll(bytes.NewReader(file))
	if err != nil || len(got) != 1 || len(got[0].Data) != 60 {
		t.Errorf("%+v, %v", got, err)
	}
}
