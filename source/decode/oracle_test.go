package decode

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pcapdir/source/packet"
	"pcapdir/source/pcapfile"
)

// captures is where reference captures lie, each with the conn.log that Zeek 8
// makes of it.
const captures = "../../../shared/oracle"

type capture struct {
	Pcap string `json:"pcap"`
	Path string `json:"path"`
	Conn string `json:"conn"`
	Exit int    `json:"zeek_exit"`

	Weirds   []string `json:"weirds"`
	LinkType string   `json:"linktype"`
}

// differ are captures in which packets of tunnels are decoded here and not in
// Zeek: one that takes the padding of a frame for a part of the packet, Geneve with
// IPv6, which Zeek 8.0.8 registers under a wrong type, and a datagram whose
// originator alone has the port of a tunnel.
var differ = []string{"pcaps/1cf2ee1a84777ba5.pcap", "pcaps/719719043ae73348.pcap", "pcaps/2d70158591b17fa2.pcap"}

// comparable says whether Zeek took every record as it stands: it gives up on a
// capture that is cut, and skips stamps before 1970.
func (c *capture) comparable() bool {
	// Zeek takes link types that it does not know for IP without a link layer.
	known := !slices.Contains([]string{"chdlc", "ppi", "frelay", "prism"}, c.LinkType)
	return known && !slices.Contains(differ, c.Pcap) && c.Exit == 0 && !slices.Contains(c.Weirds, "negative_packet_timestamp")
}

// ends is a connection as decoding sees it: protocol and unordered endpoints.
// Ports are 0 but for TCP and UDP.
type ends struct {
	proto uint8
	a, b  netip.AddrPort
}

func between(proto uint8, a, b netip.Addr, aPort, bPort uint16) ends {
	if proto != packet.TCP && proto != packet.UDP {
		aPort, bPort = 0, 0
	}
	e := ends{proto, netip.AddrPortFrom(a, aPort), netip.AddrPortFrom(b, bPort)}
	if e.b.Compare(e.a) < 0 {
		e.a, e.b = e.b, e.a
	}
	return e
}

// TestReferenceCaptures decodes every record of the reference captures. The
// promises of the fuzz test hold, gopacket agrees, and where no fragment is
// involved, the endpoints are exactly those of Zeek's connections, in tunnels and
// out of them, and checksums are wrong where Zeek finds them wrong.
func TestReferenceCaptures(t *testing.T) {
	index, err := os.Open(filepath.Join(captures, "index.jsonl"))
	if err != nil {
		t.Skipf("no reference captures: %v", err)
	}
	defer index.Close()
	var compared int
	for lines := bufio.NewScanner(index); lines.Scan(); {
		var c capture
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		weirds := map[string]bool{}
		seen, comparable := decodeFile(t, filepath.Join(captures, c.Pcap), weirds)
		if !comparable || !c.comparable() {
			continue
		}
		compared++
		if want := connections(t, filepath.Join(captures, c.Conn)); !maps.Equal(seen, want) {
			t.Errorf("%s (%s):", c.Pcap, c.Path)
			report(t, "only here", seen, want)
			report(t, "only in Zeek", want, seen)
		}
		for _, name := range checksumWeirds {
			if got, want := weirds[name], slices.Contains(c.Weirds, name); got != want {
				t.Errorf("%s (%s): %s %v, Zeek %v", c.Pcap, c.Path, name, got, want)
			}
		}
	}
	t.Logf("%d captures compared with Zeek", compared)
}

func report(t *testing.T, what string, in, notIn map[ends]bool) {
	for e := range in {
		if !notIn[e] {
			t.Logf("  %s: %v", what, e)
		}
	}
}

var checksumWeirds = []string{"bad_IP_checksum", "bad_TCP_checksum", "bad_UDP_checksum", "bad_ICMP_checksum"}

// checksumWeird is Zeek's name for the wrong checksum that p has, or empty.
func checksumWeird(p *packet.Packet) string {
	switch {
	case p.Drop == packet.DropIPChecksum:
		return checksumWeirds[0]
	case p.Flags&packet.BadChecksum == 0:
		return ""
	case p.Proto == packet.TCP:
		return checksumWeirds[1]
	case p.Proto == packet.UDP:
		return checksumWeirds[2]
	}
	return checksumWeirds[3]
}

// decodeFile returns the endpoints of a capture's packets, and whether Zeek's
// connections are the same question: it reassembles. It notes the names of wrong checksums in weirds.
func decodeFile(t *testing.T, path string, weirds map[string]bool) (seen map[ends]bool, comparable bool) {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	seen, comparable = map[ends]bool{}, true
	r, err := pcapfile.NewReader(f, 0)
	if err != nil {
		return seen, false
	}
	var rec pcapfile.Record
	for {
		if err := r.Next(&rec); err != nil {
			var damage *pcapfile.DamageError
			return seen, comparable && !errors.As(err, &damage)
		}
		promises(t, rec.LinkType, rec.Data, rec.Wire)
		if rec.LinkType == 1 && int(rec.Wire) == len(rec.Data) {
			compare(t, rec.Data)
		}
		var p packet.Packet
		var in Inside
		drop := Decode(rec.LinkType, rec.Data, rec.Wire, &p, &in)
		for depth := 0; ; depth++ {
			weirds[checksumWeird(&p)] = true
			switch {
			case drop == packet.DropFragment, drop == packet.DropLinkType:
				comparable = false
			case drop == packet.DropNone && (p.Flags&packet.Carrier == 0 || p.Proto == packet.UDP):
				seen[between(p.Proto, p.Src.Netip(), p.Dst.Netip(), p.SrcPort, p.DstPort)] = true
			}
			if !in.Carries() || depth == MaxDepth {
				break
			}
			drop = in.Next(&p)
		}
	}
}

// connections reads the endpoints of a conn.log in JSON.
func connections(t *testing.T, path string) map[ends]bool {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	all := map[ends]bool{}
	for lines := bufio.NewScanner(z); lines.Scan(); {
		var c struct {
			OrigH netip.Addr `json:"id.orig_h"`
			RespH netip.Addr `json:"id.resp_h"`
			OrigP uint16     `json:"id.orig_p"`
			RespP uint16     `json:"id.resp_p"`
			Proto uint8      `json:"ip_proto"`
		}
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all[between(c.Proto, c.OrigH, c.RespH, c.OrigP, c.RespP)] = true
	}
	return all
}
