package main

import (
	"bytes"
	"encoding/json"
	"testing"
)

// The baseline counts every packet that it decodes, once, for its connection.
func TestBaselineCountsAll(t *testing.T) {
	var out bytes.Buffer
	if err := run("../../../testdata/containers/micro.pcap", &out); err != nil {
		t.Fatal(err)
	}
	flows, packets := 0, uint64(0)
	for line := range bytes.Lines(out.Bytes()) {
		var f flow
		if err := json.Unmarshal(line, &f); err != nil {
			t.Fatal(err)
		}
		if f.OrigPkts == 0 || f.OrigH == "" || f.Duration < 0 {
			t.Errorf("%s", line)
		}
		flows, packets = flows+1, packets+f.OrigPkts+f.RespPkts
	}
	if flows == 0 || packets <= uint64(flows) {
		t.Errorf("%d flows, %d packets", flows, packets)
	}
}
