package pipeline_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"pcapdir/daemon/config"
	"pcapdir/daemon/pipeline"
	"pcapdir/source/decode/decodetest"
	"pcapdir/source/packet"
)

// tunnelled is a capture of packets in up to six tunnels, some of them in fragments.
func tunnelled(rnd *rand.Rand, n int) capture {
	c := capture{name: "tunnelled"}
	for i := range n {
		ip := decodetest.IP{Src: someHost(rnd, "192.168.0."), Dst: someHost(rnd, "192.168.0.")}.
			UDP(uint16(1000+rnd.IntN(3)), uint16(2000+rnd.IntN(3)), make([]byte, 20+rnd.IntN(300)))
		for range rnd.IntN(6) {
			ip = tunnel(rnd, ip)
		}
		at := packet.Unix(1_700_000_000, 0).Add(time.Duration(i) * 70 * time.Millisecond)
		pieces := [][]byte{ip}
		if rnd.IntN(4) == 0 {
			pieces = decodetest.Fragments(ip, uint32(i), 120)
		}
		for k, piece := range pieces {
			c.recs = append(c.recs, frame(at.Add(time.Duration(k)*time.Millisecond), piece, 0))
		}
	}
	return c
}

func someHost(rnd *rand.Rand, net string) netip.Addr {
	return netip.MustParseAddr(fmt.Sprint(net, 1+rnd.IntN(4)))
}

// tunnel puts an IP packet into a tunnel between two of few hosts.
func tunnel(rnd *rand.Rand, ip []byte) []byte {
	outer := decodetest.IP{Src: someHost(rnd, "10.0.0."), Dst: someHost(rnd, "10.0.0.")}
	kind := uint16(0x0800)
	switch rnd.IntN(4) {
	case 0:
		return outer.Proto(4, ip)
	case 1:
		return outer.Proto(47, append(binary.BigEndian.AppendUint16([]byte{0, 0}, kind), ip...))
	case 2:
		vxlan := []byte{0x08, 0, 0, 0, 0, 0, 7, 0}
		return outer.UDP(uint16(3000+rnd.IntN(2)), 4789, append(vxlan, decodetest.EtherType(kind, ip)...))
	}
	gtp := binary.BigEndian.AppendUint16([]byte{0x30, 0xff}, uint16(len(ip)))
	return outer.UDP(2152, 2152, append(append(gtp, 0, 0, 0, 9), ip...))
}

// What runs in tunnels, and in which, is the same for any shards, hash and cut.
func TestTunnelsLeaveNoTrace(t *testing.T) {
	rnd := newRand(2)
	c := tunnelled(rnd, 400)
	one := c.write(t, t.TempDir(), "one")
	want := run(t, plain, config.InsideSort, c.span(), one)
	for _, text := range []string{`"id.orig_h":"192.168.0.`, `"tunnel_parents":["C`, `"id.resp_p":4789`} {
		if !bytes.Contains(want.logs["conn"], []byte(text)) {
			t.Errorf("conn.log lacks %s", text)
		}
	}
	if bytes.Contains(want.logs["conn"], []byte(`"ip_proto":47`)) || bytes.Contains(want.logs["conn"], []byte{0}) {
		t.Error("conn.log has a connection of GRE itself, or a line that was not finished")
	}
	if !bytes.Contains(want.logs["weird"], []byte("exceeded_tunnel_max_depth")) {
		t.Error("weird.log lacks what is too deep")
	}
	check := func(name string, s shape, paths ...string) {
		t.Run(name, func(t *testing.T) {
			got := run(t, s, config.InsideSort, c.span(), paths...)
			wantSameLogs(t, want, got)
			wantSameBooks(t, want, got)
		})
	}
	for _, shards := range []int{1, 2, 7} {
		for _, hash := range []config.Hash{config.Hash2Tuple, config.Hash4Tuple, config.Hash5Tuple} {
			s := plain
			s.shards, s.hash = shards, hash
			check(s.String(), s, one)
		}
	}
	for i, s := range sample {
		parts := c.cut([]int{2, 50, len(c.recs)}[i%3], false, rnd)
		check(fmt.Sprintf("cut-%d/%s", len(parts), s), s, scatter(t, parts, rnd, forms[:4]))
	}
}

// A tunnel that is told of by the last packet before a stop has its name after it.
func TestTunnelOverARestart(t *testing.T) {
	at := packet.Unix(1_700_000_000, 0)
	host := func(n byte) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, 0, n}) }
	inner := decodetest.IP{Src: host(1), Dst: host(2)}.UDP(1000, 2000, make([]byte, 20))
	vxlan := append([]byte{0x08, 0, 0, 0, 0, 0, 7, 0}, decodetest.EtherType(0x0800, inner)...)
	c := capture{name: "tunnel", recs: []record{
		frame(at, decodetest.IP{Src: host(5), Dst: host(6)}.UDP(1, 2, make([]byte, 20)), 0),
		frame(at.Add(time.Millisecond), decodetest.IP{Src: host(3), Dst: host(4)}.UDP(3000, 4789, vxlan), 0),
	}}
	root := newRoot(t)
	want := newJob(t).read(t, c.write(t, t.TempDir(), "a"))
	if !bytes.Contains(want.logs["conn"], []byte("tunnel_parents")) {
		t.Fatalf("nothing is tested: %s", want.logs["conn"])
	}
	cfg := site(root)
	d := startAs(t, pipeline.Options{Config: cfg})
	d.mv(t, "a", formOf(c).encode(t, c))
	d.fate(t, "a")
	d.quit(t)
	d = start(t, cfg)
	d.quit(t)
	if got := readLogs(t, cfg.Logs.Dir)["conn"]; !bytes.Equal(got, want.logs["conn"]) {
		t.Errorf("conn.log differs:\n%s", firstDifference(want.logs["conn"], got))
	}
}
