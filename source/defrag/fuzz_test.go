package defrag_test

import (
	"bytes"
	"testing"
	"time"

	"pcapdir/source/defrag"
	"pcapdir/source/packet"
)

// FuzzTable plays a script of fragments and compares with a model that keeps a
// flag for every byte.
func FuzzTable(f *testing.F) {
	f.Add([]byte{0, 0, 8, 1, 0, 0, 8, 8, 0, 0})
	f.Add([]byte{0, 4, 8, 0, 0, 0, 0, 2, 1, 0, 0, 2, 4, 1, 9})
	f.Add([]byte{1, 0, 1, 1, 0, 2, 0, 1, 1, 0, 1, 1, 1, 0, 99, 2, 1, 0, 0, 0})
	f.Fuzz(func(t *testing.T, script []byte) {
		cfg := defrag.Config{Timeout: 100 * time.Nanosecond, Datagrams: 3, Bytes: 4 << 10}
		table, m := defrag.New(cfg), model{}
		var now packet.Time
		for ; len(script) >= 5; script = script[5:] {
			now += packet.Time(script[4] / 8)
			fr := fragment(script)
			before := table.Counts()
			whole, _ := table.Add(&fr, now)
			m.expire(now)
			want := m.add(&fr, now.Add(cfg.Timeout))
			if evicted := table.Counts().Evicted - before.Evicted; evicted > 0 {
				m.evict(int(evicted))
			}
			if !bytes.Equal(payloadOf(whole), want) {
				t.Fatalf("got %x, want %x", payloadOf(whole), want)
			}
			if table.Len() != len(m) || table.Len() > cfg.Datagrams {
				t.Fatalf("%d datagrams, the model has %d", table.Len(), len(m))
			}
		}
		c := table.Counts()
		table.Expire(packet.MaxTime)
		if table.Len() != 0 || table.Counts().Expired-c.Expired != uint64(len(m)) {
			t.Errorf("%d left, %+v, then %+v", table.Len(), c, table.Counts())
		}
	})
}

// fragment is one of four datagrams: which, offset, length, more, and what.
func fragment(b []byte) packet.Fragment {
	f := packet.Fragment{
		ID: uint32(b[0] % 4), More: b[3]&1 != 0, DF: b[3]&2 != 0, Proto: b[3] >> 6, Offset: uint32(b[1]) * 8,
		Header: make([]byte, 20), Payload: bytes.Repeat([]byte{b[4]}, int(b[2])),
	}
	f.Header[0] = 0x45
	return f
}

func payloadOf(whole []byte) []byte {
	if whole == nil {
		return nil
	}
	return whole[20:]
}

// model is the datagrams in the making, the oldest first.
type model []*sketch

type sketch struct {
	id       uint32
	deadline packet.Time
	size     int
	have     [256*8 + 256]bool
	data     [256*8 + 256]byte
}

func (m *model) expire(now packet.Time) {
	for len(*m) > 0 && (*m)[0].deadline <= now {
		*m = (*m)[1:]
	}
}

// evict takes out the oldest. The newest may be among them, and gone by itself.
func (m *model) evict(n int) { *m = (*m)[min(n, len(*m)):] }

func (m *model) add(f *packet.Fragment, deadline packet.Time) (whole []byte) {
	at := -1
	for i, s := range *m {
		if s.id == f.ID {
			at = i
		}
	}
	if at < 0 {
		at = len(*m)
		*m = append(*m, &sketch{id: f.ID, deadline: deadline})
	}
	s := (*m)[at]
	if whole = s.add(f); whole != nil {
		*m = append((*m)[:at:at], (*m)[at+1:]...)
	}
	return whole
}

func (s *sketch) add(f *packet.Fragment) []byte {
	end := int(f.Offset) + len(f.Payload)
	if !f.More && s.size == 0 || s.size != 0 && end > s.size {
		s.size = end
	}
	for i, c := range f.Payload {
		if at := int(f.Offset) + i; !s.have[at] {
			s.have[at], s.data[at] = true, c
		}
	}
	n := 0
	for n < len(s.have) && s.have[n] {
		n++
	}
	if len(f.Payload) == 0 || s.size == 0 || n < s.size {
		return nil
	}
	return s.data[:n]
}
