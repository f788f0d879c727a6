package traffic

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// Every container must give back the packets that went in.
func TestContainers(t *testing.T) {
	for _, link := range []Link{Ethernet, Raw, Null, SLL, SLL2} {
		for shape := range 8 {
			c := Container{NG: shape&1 != 0, BigEndian: shape&2 != 0, Nano: shape&4 != 0, Link: link}
			var b bytes.Buffer
			config := Config{Kind: "mix", Flows: 50, Packets: 200, Snap: 200}
			s, err := Write(&b, generator(t, config), c)
			if err != nil || s.Packets != 200 || s.Bytes != uint64(b.Len()) {
				t.Fatalf("%+v, %v, %d bytes", s, err, b.Len())
			}
			r := &plainReader{t: t, rest: b.Bytes(), o: binary.LittleEndian}
			if c.BigEndian {
				r.o = binary.BigEndian
			}
			readBack(t, r, c, generator(t, config))
		}
	}
}

func readBack(t *testing.T, r *plainReader, c Container, g *Generator) {
	t.Helper()
	next, link := r.pcapRecord, Link(0)
	if c.NG {
		link, next = r.ngHeader(c.Nano), r.ngBlock
	} else {
		link = r.pcapHeader(c.Nano)
	}
	if link != c.Link {
		t.Fatalf("%+v: link type %d", c, link)
	}
	for f := g.Next(); f != nil; f = g.Next() {
		nanos, wire, got := next(c.Nano)
		ip := f.Bytes[14:]
		if be.Uint16(f.Bytes[12:]) == 0x8100 {
			ip = f.Bytes[18:]
		}
		head := map[Link]int{Raw: 0, Null: 4, SLL: 16, SLL2: 20}[link]
		if c.Link == Ethernet {
			ip = f.Bytes
		}
		wantNanos := f.Nanos
		if !c.Nano {
			wantNanos -= wantNanos % 1000
		}
		if len(got) != head+len(ip) || !bytes.HasSuffix(got, ip) || nanos != wantNanos || wire-len(got) != f.Wire-len(f.Bytes) {
			t.Fatalf("%+v: at %d, %d on the wire, %x, want %d, %x", c, nanos, wire, got, wantNanos, ip)
		}
	}
	if len(r.rest) > 0 {
		t.Errorf("%+v: %d bytes behind the last packet", c, len(r.rest))
	}
}

// plainReader takes files apart by the letter of the formats' descriptions.
type plainReader struct {
	t    *testing.T
	rest []byte
	o    binary.ByteOrder
}

func (r *plainReader) take(n int) []byte {
	r.t.Helper()
	if n > len(r.rest) {
		r.t.Fatalf("%d bytes wanted, %d left", n, len(r.rest))
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *plainReader) word() int { return int(r.o.Uint32(r.take(4))) }

func (r *plainReader) want(words ...int) {
	r.t.Helper()
	for _, w := range words {
		if got := r.word(); got != w {
			r.t.Fatalf("%#x, want %#x", got, w)
		}
	}
}

func (r *plainReader) pcapHeader(nano bool) Link {
	if nano {
		r.want(0xa1b23c4d)
	} else {
		r.want(0xa1b2c3d4)
	}
	if r.o.Uint16(r.take(2)) != 2 || r.o.Uint16(r.take(2)) != 4 {
		r.t.Fatal("version")
	}
	r.want(0, 0, 65535)
	return Link(r.word())
}

func (r *plainReader) pcapRecord(nano bool) (nanos int64, wire int, data []byte) {
	unit := int64(1000)
	if nano {
		unit = 1
	}
	nanos = int64(r.word())*1e9 + int64(r.word())*unit
	captured := r.word()
	wire = r.word()
	return nanos, wire, r.take(captured)
}

func (r *plainReader) ngHeader(nano bool) Link {
	r.want(0x0a0d0d0a, 28, 0x1a2b3c4d)
	r.take(12)
	r.want(28, 1)
	size := r.word()
	link := Link(r.o.Uint16(r.take(2)))
	r.take(2)
	r.want(65535)
	options := r.take(size - 20)
	if nano && (r.o.Uint16(options) != 9 || r.o.Uint16(options[2:]) != 1 || options[4] != 9 || r.o.Uint32(options[8:]) != 0) {
		r.t.Fatalf("options %x", options)
	}
	r.want(size)
	return link
}

func (r *plainReader) ngBlock(nano bool) (nanos int64, wire int, data []byte) {
	r.want(6)
	size := r.word()
	r.want(0)
	nanos = int64(r.word())<<32 | int64(r.word())
	if !nano {
		nanos *= 1000
	}
	captured := r.word()
	wire = r.word()
	data = r.take(size - 32)[:captured]
	r.want(size)
	return nanos, wire, data
}
