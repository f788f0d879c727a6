package conn

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
)

// The first is from the specification's own baseline, the rest are what Zeek gives.
func TestCommunityID(t *testing.T) {
	for _, c := range []struct {
		src, dst         string
		srcPort, dstPort uint16
		proto            uint8
		want             string
	}{
		{"128.232.110.120", "66.35.250.204", 34855, 80, packet.TCP, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
		{"66.35.250.204", "128.232.110.120", 80, 34855, packet.TCP, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
		{"127.0.0.1", "127.0.0.1", 57150, 162, packet.UDP, "1:45nbVq+ArsrwRJbH15wgydGqyT8="},
		{"::1", "::1", 62285, 6379, packet.TCP, "1:/Gtwm/a8J3cNV7HCqdRyscGPpW8="},
		{"10.0.0.1", "10.0.0.2", 0, 0, 132, "1:ydIp/gSpX5VybPHyzU2EaP0gBMY="},
	} {
		f := flow{proto: c.proto, port: [2]uint16{c.srcPort, c.dstPort}}
		f.addr = [2]packet.Addr{netip.MustParseAddr(c.src).As16(), netip.MustParseAddr(c.dst).As16()}
		if got := string(appendCommunityID(nil, &f)); got != c.want {
			t.Errorf("%s:%d %s:%d: %s, want %s", c.src, c.srcPort, c.dst, c.dstPort, got, c.want)
		}
	}
}

func TestLocalNetworks(t *testing.T) {
	nets := networks(DefaultConfig().Local)
	for _, c := range []struct {
		addr  string
		local bool
	}{
		{"10.1.2.3", true}, {"11.0.0.1", false}, {"172.31.255.255", true}, {"172.32.0.0", false},
		{"224.0.0.251", true}, {"224.0.1.1", false}, {"255.255.255.255", true}, {"8.8.8.8", false},
		{"::", true}, {"::1", true}, {"::2", false}, {"fe80::1", true}, {"ff02::1", false}, {"2001:db8::1", true},
		{"2002:a01::1", true}, {"2002:808:808::1", false}, {"2002:c0a8:101::", true}, {"2600::1", false},
	} {
		a := packet.Addr(netip.MustParseAddr(c.addr).As16())
		if isLocal(nets, &a) != c.local {
			t.Errorf("%s local: %v", c.addr, !c.local)
		}
	}
}

func TestStateNames(t *testing.T) {
	for _, c := range []struct {
		orig, resp tcpState
		history    string
		want       string
	}{
		{tcpSynSent, tcpInactive, "S", "S0"},
		{tcpEstablished, tcpEstablished, "ShA", "S1"},
		{tcpClosed, tcpEstablished, "ShAF", "S2"},
		{tcpEstablished, tcpClosed, "ShAf", "S3"},
		{tcpClosed, tcpClosed, "ShAFf", "SF"},
		{tcpClosed, tcpPartial, "DdF", "SH"},
		{tcpPartial, tcpClosed, "Ddf", "SHR"},
		{tcpSynAckSent, tcpReset, "Hr", "REJ"},
		{tcpPartial, tcpReset, "Dr", "RSTRH"},
		{tcpEstablished, tcpReset, "ShAr", "RSTR"},
		{tcpReset, tcpEstablished, "ShAR", "RSTO"},
		{tcpReset, tcpInactive, "SR", "RSTOS0"},
		{tcpReset, tcpInactive, "^SWR", "RSTOS0"},
		{tcpReset, tcpInactive, "SAR", "OTH"},
		{tcpReset, tcpInactive, "R", "OTH"},
		{tcpPartial, tcpPartial, "Dd", "OTH"},
	} {
		s := stream{}
		s.end[orig].state, s.end[resp].state = c.orig, c.resp
		if got := tcpStateName(&s, []byte(c.history)); got != c.want {
			t.Errorf("%d, %d, %s: %s, want %s", c.orig, c.resp, c.history, got, c.want)
		}
	}
}

// Sequence numbers around 2^32: relative numbers go on, sizes too.
func TestSequenceWraps(t *testing.T) {
	var e endpoint
	e.begin(0xfffffff0, 0xfffffff1)
	for _, seq := range []uint32{0xfffffff8, 8, 0x7000_0000, 0xe000_0000, 0x4000_0000} {
		e.setLast(seq)
	}
	if rel, under := e.relative(0x4000_0001, e.last, e.lastWraps); rel != 1<<33+0x4000_0001-0xfffffff0 || under {
		t.Errorf("relative number is %d, under %v", rel, under)
	}
	if rel, _ := e.relative(0xf000_0000, e.last, e.lastWraps); rel != 1<<32+0xf000_0000-0xfffffff0 {
		t.Errorf("one from before the wrap is %d", rel)
	}
	var f endpoint
	f.begin(1000, 1001)
	if _, under := f.relative(999, f.last, f.lastWraps); !under {
		t.Error("a number before the start is not under")
	}
}

// Oddities are told by name, with the connection they are about.
func TestWeirds(t *testing.T) {
	var got []string
	tr := New(DefaultConfig(), Deps{
		Emit: func(packet.Time, *logs.Conn) {},
		Weird: func(at packet.Time, name string, p *packet.Packet, uid logs.UID) {
			if uid == (logs.UID{}) || p.Eff != at {
				t.Errorf("%s has uid %v and time %d", name, uid, at)
			}
			got = append(got, name)
		},
	})
	send := func(at int, p packet.Packet) {
		p.Eff = packet.Unix(int64(at), 0)
		p.TS = p.Eff
		tr.Handle(&p)
	}
	tcp := packet.Packet{Proto: packet.TCP, SrcPort: 4000, DstPort: 6001, Win: 1}
	for i, c := range []struct {
		flags packet.TCPFlags
		seq   uint32
		len   uint32
		marks packet.Flags
	}{
		{flags: packet.SYN, seq: 100, len: 5},
		{flags: packet.SYN, seq: 200},
		{flags: packet.ACK, seq: 201, len: 5},
		{flags: packet.RST, seq: 201},
		{flags: packet.ACK, seq: 300, len: 5},
		{flags: packet.ACK, marks: packet.BadChecksum},
		{marks: packet.BadTCPHeader},
	} {
		p := tcp
		p.TCPFlags, p.Seq, p.PayLen, p.CapLen, p.Flags = c.flags, c.seq, c.len, c.len, c.marks
		send(i/4, p)
	}
	send(3, packet.Packet{Proto: packet.UDP, UDPLen: 9})
	send(3, packet.Packet{Proto: packet.UDP, UDPLen: 8, Flags: packet.BadChecksum})
	send(3, packet.Packet{Proto: packet.ICMP, Flags: packet.BadChecksum})
	want := []string{
		"SYN_with_data", "SYN_seq_jump", "possible_split_routing", "data_before_established", "data_after_reset",
		"bad_TCP_checksum", "bad_TCP_header_len", "UDP_datagram_length_mismatch", "bad_UDP_checksum", "bad_ICMP_checksum",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	tr := New(DefaultConfig(), Deps{})
	var f flow
	want := ""
	for i := range maxHistory + 100 {
		c := "SHADFR"[i%6]
		tr.addHistory(&f, c)
		if i < maxHistory {
			want += string(c)
		}
	}
	if got := string(tr.appendHistory(nil, &f)); got != want {
		t.Errorf("history of %d letters: %s", len(got), fmt.Sprintf("%.40s", got))
	}
}
