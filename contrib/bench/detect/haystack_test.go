package main

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pcapdir/source/packet"
)

func ip(s string) packet.Addr { return packet.Addr(netip.MustParseAddr(s).As16()) }

func TestAttacksOf(t *testing.T) {
	all := labels{
		{prefixOf("10.0.0.1"), prefixOf("10.0.0.2"), 10, 20, "scan"},
		{netip.Prefix{}, prefixOf("10.0.0.2"), 30, 40, "flood"},
	}
	at := func(second int, src, dst string) packet.Packet {
		return packet.Packet{TS: packet.Unix(int64(second), 0), Src: ip(src), Dst: ip(dst)}
	}
	packets := []packet.Packet{
		at(5, "10.0.0.1", "10.0.0.2"), at(6, "10.0.0.3", "10.0.0.2"), at(12, "10.0.0.2", "10.0.0.1"), at(32, "10.0.0.3", "10.0.0.2"),
		at(33, "192.0.2.7", "10.0.0.2"), at(34, "10.0.0.2", "192.0.2.8"), at(50, "10.0.0.2", "192.0.2.7"), at(60, "10.0.0.9", "10.0.0.2"),
	}
	want := []string{"", "", "scan", "", "flood", "flood", "flood", ""}
	if got := attacksOf(packets, all); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func prefixOf(s string) netip.Prefix {
	p, err := parsePrefix(s)
	if err != nil {
		panic(err)
	}
	return p
}

func TestBusiest(t *testing.T) {
	var of []packet.Packet
	for i, minute := range []uint64{3, 4, 4, 5, 4, 3} {
		of = append(of, packet.Packet{Rank: minute, TTL: uint8(i)})
	}
	got := busiest(of)
	if len(got) != 3 || got[0].TTL != 1 || got[1].TTL != 2 || got[2].TTL != 4 {
		t.Errorf("%+v", got)
	}
}

// One packet in 100 000 is enough for what sweeps, floods and tunnels are made of.
func TestHaystack(t *testing.T) {
	if testing.Short() {
		t.Skip("two million packets a window take seconds")
	}
	var out bytes.Buffer
	if err := needles(ownSet("../../../testdata"), 300, &out); err != nil {
		t.Fatal(err)
	}
	first := map[string]bool{}
	for line := range strings.Lines(out.String()) {
		if f := strings.Fields(line); len(f) == 5 && f[4] == "anomalous" && len(f[3]) == 1 && f[3] <= "5" {
			first[f[0]] = true
		}
	}
	for _, kind := range []string{"syn_scan", "xmas_scan", "version_scan", "masscan", "host_sweep", "icmp_flood", "icmp_tunnel", "dns_amp"} {
		if !first[kind] {
			t.Errorf("%s is not among the first alerts:\n%s", kind, out.String())
		}
	}
}
