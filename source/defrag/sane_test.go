package defrag

import (
	"bytes"
	"errors"
	"testing"

	"pcapdir/source/snap"
)

// What no fragments can have made is refused.
func TestLoadRefuses(t *testing.T) {
	good := func() []known {
		return []known{
			{header: make([]byte, 20), size: 24, blocks: []block{{0, make([]byte, 8)}, {16, make([]byte, 8)}}},
			{key: key{id: 1, ipv6: true}, header: make([]byte, 48), nextAt: 40},
		}
	}
	for name, spoil := range map[string]func(k []known){
		"nothing":                 func([]known) {},
		"one datagram twice":      func(k []known) { k[1].key = k[0].key },
		"a header too short":      func(k []known) { k[0].header = k[0].header[:19] },
		"an IPv6 header, too":     func(k []known) { k[1].header, k[1].nextAt = k[1].header[:39], 6 },
		"a place beyond it":       func(k []known) { k[1].nextAt = 48 },
		"a place before it":       func(k []known) { k[1].nextAt = -1 },
		"too large":               func(k []known) { k[0].size = farthestEnd + 1 },
		"an empty block":          func(k []known) { k[0].blocks[0].data = nil },
		"blocks that overlap":     func(k []known) { k[0].blocks[1].from = 7 },
		"blocks in disorder":      func(k []known) { k[0].blocks[0].from = 64 },
		"a block too far":         func(k []known) { k[0].blocks[1].from = farthestEnd - 7 },
		"a block that goes round": func(k []known) { k[0].blocks[1].from = 1<<32 - 4 },
	} {
		all := good()
		spoil(all)
		var text bytes.Buffer
		w := snap.NewWriter(&text)
		if w.Put(&all); w.Close() != nil {
			t.Fatal("not saved")
		}
		err := New(DefaultConfig()).Load(snap.NewReader(&text, int64(text.Len())))
		if (name == "nothing") != (err == nil) || err != nil && !errors.Is(err, errState) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
