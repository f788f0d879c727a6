package conn_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"hash/fnv"
	"io"
	"os"
	"testing"

	"pcapdir/analysis/conn"
	"pcapdir/analysis/logs"
	"pcapdir/source"
	"pcapdir/source/decode"
	"pcapdir/source/decompress"
	"pcapdir/source/defrag"
	"pcapdir/source/packet"
	"pcapdir/source/pcapfile"
)

// readCapture decodes a capture as it stands, fragments put together: effective
// time is the running maximum of the stamps, damage ends it.
func readCapture(tb testing.TB, path string) (ps []packet.Packet, last packet.Time) {
	tb.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	plain, err := decompress.NewReader(decompress.Detect(b[:min(len(b), decompress.HeadLen)]), bytes.NewReader(b))
	if err != nil {
		tb.Fatal(err)
	}
	defer plain.Close()
	r, err := pcapfile.NewReader(plain, 0)
	if err != nil {
		return nil, 0
	}
	var rec pcapfile.Record
	var in decode.Inside
	keep := func(p *packet.Packet) bool {
		if p.Drop == packet.DropNone {
			p.Hash = symmetricHash(p)
			ps = append(ps, *p)
		}
		return true
	}
	datagrams := source.NewReassembly(defrag.DefaultConfig())
	for n := uint64(0); r.Next(&rec) == nil; n++ {
		p := packet.Packet{TS: rec.TS, Rec: n}
		if n == 0 || rec.TS > last {
			last = rec.TS
		}
		p.Eff = last
		if decode.Decode(rec.LinkType, rec.Data, rec.Wire, &p, &in) == packet.DropFragment {
			datagrams.Add(&p, in.Fragment, keep)
		} else {
			keep(&p)
		}
	}
	return ps, last
}

// symmetricHash covers addresses and protocol, and ports for TCP and UDP.
func symmetricHash(p *packet.Packet) uint64 {
	end := func(a packet.Addr, port uint16) uint64 {
		h := fnv.New64a()
		h.Write(a[:])
		if p.Proto == packet.TCP || p.Proto == packet.UDP {
			h.Write([]byte{byte(port >> 8), byte(port)})
		}
		return h.Sum64()
	}
	return end(p.Src, p.SrcPort) + end(p.Dst, p.DstPort) + uint64(p.Proto)
}

// closed is a record and when it ended.
type closed struct {
	at packet.Time
	c  logs.Conn
}

// collect is a Tracker that keeps copies of its records.
func collect(cfg conn.Config) (*conn.Tracker, *[]closed) {
	var out []closed
	t := conn.New(cfg, conn.Deps{Emit: func(at packet.Time, c *logs.Conn) {
		kept := *c
		kept.History = append([]byte{}, c.History...)
		kept.CommunityID = bytes.Clone(c.CommunityID)
		out = append(out, closed{at, kept})
	}})
	return t, &out
}

// track runs a whole capture.
func track(ps []packet.Packet, last packet.Time) []closed {
	cfg := conn.DefaultConfig()
	cfg.StampClock = true
	t, out := collect(cfg)
	for i := range ps {
		t.Handle(&ps[i])
	}
	t.Flush(last)
	return *out
}

// readGzip is a whole gzip file; a missing file is empty.
func readGzip(tb testing.TB, path string) []byte {
	tb.Helper()
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}
