package pipeline_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"pcapdir/daemon/config"
	"pcapdir/source/decode/decodetest"
	"pcapdir/source/defrag"
	"pcapdir/source/packet"
)

// fragmented is a capture of datagrams that came in fragments, those of several
// datagrams mixed: in any order, some of them lost, repeated, changed, late or
// captured short.
func fragmented(rnd *rand.Rand, datagrams int) capture {
	c := capture{name: "fragmented"}
	start := packet.Unix(1_700_000_000, 0)
	for i := range datagrams {
		ip := somePacket(rnd)
		at := start.Add(time.Duration(i) * 20 * time.Millisecond)
		pieces := decodetest.Fragments(ip, uint32(rnd.IntN(20)), 8*(1+rnd.IntN(150)))
		for _, n := range rnd.Perm(len(pieces)) {
			at = at.Add(time.Duration(rnd.IntN(30)) * time.Millisecond)
			piece, wire := pieces[n], 0
			switch rnd.IntN(40) {
			case 0: // lost
				continue
			case 1: // repeated
				c.recs = append(c.recs, frame(at, piece, 0))
			case 2: // not the same
				changed := bytes.Clone(piece)
				changed[len(changed)-1]++
				c.recs = append(c.recs, frame(at, changed, 0))
			case 3: // beyond the timeout
				at = at.Add(5 * time.Minute)
			case 4: // captured short
				piece, wire = piece[:len(piece)-1], len(piece)+14
			}
			c.recs = append(c.recs, frame(at, piece, wire))
		}
	}
	return c.sorted()
}

// somePacket is a UDP or ICMP packet of up to 5 KB between few hosts.
func somePacket(rnd *rand.Rand) []byte {
	host := func(family string) netip.Addr { return netip.MustParseAddr(fmt.Sprint(family, 1+rnd.IntN(4))) }
	family := []string{"10.0.0.", "2001:db8::"}[rnd.IntN(2)]
	ip := decodetest.IP{Src: host(family), Dst: host(family)}
	payload := make([]byte, 20+rnd.IntN(5000))
	for i := range payload {
		payload[i] = byte(rnd.Uint32())
	}
	if rnd.IntN(4) == 0 {
		return ip.ICMP([]uint8{8, 128}[min(1, len(family)-7)], 0, payload)
	}
	return ip.UDP(uint16(1000+rnd.IntN(3)), uint16(2000+rnd.IntN(3)), payload)
}

func frame(at packet.Time, ip []byte, wire int) record {
	r := record{TS: at, LinkType: 1, Data: decodetest.EtherType(0x0800, ip)}
	if ip[0]>>4 == 6 {
		r.Data = decodetest.EtherType(0x86dd, ip)
	}
	r.Wire = max(uint32(wire), uint32(len(r.Data)))
	return r
}

// Fragments meet whatever file each is in, and whatever shard their datagram
// goes to: one file or one for every stamp, any number of shards, every hash mode.
func TestFragmentsLeaveNoTrace(t *testing.T) {
	if testing.Short() {
		t.Skip("long under the race detector; it runs without -short")
	}
	rnd := newRand(1)
	c := fragmented(rnd, 150)
	one := c.write(t, t.TempDir(), "one")
	for _, inside := range bothInsides {
		want := run(t, plain, inside, c.span(), one)
		checkFragmented(t, c, want)
		check := func(name string, s shape, paths ...string) {
			t.Run(string(inside)+"/"+name, func(t *testing.T) {
				got := run(t, s, inside, c.span(), paths...)
				wantSameLogs(t, want, got)
				wantSameBooks(t, want, got)
				if got.sum.Fragments != want.sum.Fragments {
					t.Errorf("%+v, want %+v", got.sum.Fragments, want.sum.Fragments)
				}
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
			parts := c.cut([]int{2, 50, len(c.recs)}[i%3], inside == config.InsideFile, rnd)
			check(fmt.Sprintf("cut-%d/%s", len(parts), s), s, scatter(t, parts, rnd, forms[:4]))
		}
		if inside == config.InsideSort {
			check("dealt", sample[1], scatter(t, c.deal(9, rnd), rnd, forms))
		}
	}
}

// checkFragmented says that the capture has what it is for.
func checkFragmented(t *testing.T, c capture, o output) {
	t.Helper()
	f, books := o.sum.Fragments, o.only(t)
	if short := books.Dropped["incompletely_captured_fragment"]; f.Rebuilt < 50 || f.Expired < 20 || f.Evicted != 0 ||
		short < 5 || f.Fragments+short < uint64(len(c.recs))*9/10 {
		t.Errorf("%+v, dropped %v", f, books.Dropped)
	}
	for _, log := range []struct{ name, text string }{
		{"conn", `"proto":"udp"`}, {"conn", `"proto":"icmp"`}, {"weird", "fragment_overlap"}, {"weird", "fragment_inconsistency"},
		{"weird", "excessively_small_fragment"}, {"weird", "incompletely_captured_fragment"},
	} {
		if !bytes.Contains(o.logs[log.name], []byte(log.text)) {
			t.Errorf("%s.log lacks %s", log.name, log.text)
		}
	}
}

// A file is put away once it is read, whatever of it waits for its rest: the
// connection comes with the file that has the rest, and in its time.
func TestFragmentsWaitForTheNextFile(t *testing.T) {
	ip := decodetest.From("10.0.0.1", "10.0.0.2")
	pieces := decodetest.Fragments(ip.UDP(7, 9, make([]byte, 1800)), 1, 1000)
	at := packet.Unix(1_700_000_000, 0)
	write := func(at packet.Time, packets ...[]byte) []byte {
		c := capture{name: "part"}
		for _, p := range packets {
			c.recs = append(c.recs, frame(at, p, 0))
		}
		return forms[0].encode(t, c)
	}
	d := start(t, site(newRoot(t)))
	d.mv(t, "a", write(at, ip.UDP(1, 1, nil), pieces[0]))
	d.wantPut(t, "a", d.fate(t, "a"))
	d.mv(t, "b", write(at.Add(time.Minute), pieces[1], ip.UDP(2, 2, nil)))
	d.wantPut(t, "b", d.fate(t, "b"))
	d.quit(t)
	got := readLogs(t, d.cfg.Logs.Dir)
	var datagram []byte
	for l := range bytes.Lines(got["conn"]) {
		if bytes.Contains(l, []byte(`"id.orig_p":7,`)) {
			datagram = l
		}
	}
	if !bytes.HasPrefix(datagram, []byte(`{"ts":1700000060.0,`)) || !bytes.Contains(datagram, []byte(`"orig_ip_bytes":1828,`)) {
		t.Errorf("the datagram is not in its place: %s", got["conn"])
	}
	if n := bytes.Count(got["conn"], []byte("\n")); n != 3 || len(got["weird"]) > 0 {
		t.Errorf("%d connections, weird: %s", n, got["weird"])
	}
}

// A flood of beginnings costs the oldest of them, and nobody else anything.
func TestFragmentFlood(t *testing.T) {
	at := packet.Unix(1_700_000_000, 0)
	limit := defrag.DefaultConfig().Datagrams
	header := decodetest.From("2001:db8::1", "2001:db8::2").Proto(17, nil)
	honest := decodetest.Fragments(decodetest.From("10.0.0.1", "10.0.0.2").UDP(1, 2, make([]byte, 900)), 1, 600)
	c := capture{name: "flood", recs: []record{frame(at, honest[0], 0)}}
	for i := range limit + 1000 {
		at = at.Add(time.Microsecond)
		c.recs = append(c.recs, frame(at, decodetest.Fragment(header, uint32(i), 0, true, make([]byte, 80)), 0))
		if i == limit/2 {
			c.recs = append(c.recs, frame(at, honest[1], 0))
		}
	}
	o := newJob(t).read(t, c.write(t, t.TempDir(), "one"))
	want := defrag.Counts{Fragments: uint64(len(c.recs)), Rebuilt: 1, Expired: uint64(limit), Evicted: 1000}
	if o.sum.Fragments != want || o.sum.Conns != 1 || o.sum.Books.Lost().Packets != 0 {
		t.Errorf("%+v, %d connections, %d dropped, want %+v", o.sum.Fragments, o.sum.Conns, o.sum.Books.Lost().Packets, want)
	}
	if !bytes.Contains(o.logs["stats"], []byte(`"evicted_datagrams":1000`)) {
		t.Errorf("stats.log: %s", o.logs["stats"])
	}
}
