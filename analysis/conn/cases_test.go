package conn_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"pcapdir/analysis/conn"
	"pcapdir/analysis/logs"
	"pcapdir/source/dpd"
	"pcapdir/source/packet"
)

// script makes packets between A (10.0.0.1) and B (10.0.0.2) of words such as
//
//	0.1 A>B:6001 SA seq=100 ack=1 len=10
//
// a time in seconds, the direction with B's port (A's is 4000; M is a group, X all
// hosts), flags or one of udp, icmp TYPE/CODE, proto N; then fields. bad is a wrong
// checksum, cap a captured length, ulen a UDP length field.
func script(t *testing.T, text string) (ps []packet.Packet) {
	t.Helper()
	for l := range strings.Lines(text) {
		if w := strings.Fields(l); len(w) > 0 {
			ps = append(ps, scripted(t, w))
		}
	}
	return ps
}

var scriptStart = packet.Unix(1_700_000_000, 0)

func scripted(t *testing.T, w []string) packet.Packet {
	t.Helper()
	sec, err := strconv.ParseFloat(w[0], 64)
	if err != nil {
		t.Fatal(err)
	}
	p := packet.Packet{Win: 8192}
	p.TS = scriptStart.Add(time.Duration(sec*1e6) * time.Microsecond)
	p.Eff = p.TS
	a, b := packet.AddrFrom4([4]byte{10, 0, 0, 1}), packet.AddrFrom4([4]byte{10, 0, 0, 2})
	direction, port, _ := strings.Cut(w[1], ":")
	p.SrcPort, p.DstPort = 4000, uint16(number(t, port))
	p.Src, p.Dst = a, b
	switch direction {
	case "B>A":
		p.Src, p.Dst, p.SrcPort, p.DstPort = b, a, p.DstPort, p.SrcPort
	case "A>A":
		p.Dst = a
	case "A>M":
		p.Dst = packet.AddrFrom4([4]byte{224, 0, 0, 9})
	case "A>X":
		p.Dst = packet.AddrFrom4([4]byte{255, 255, 255, 255})
	}
	what, rest := w[2], w[3:]
	cut, payload := -1, ""
	for _, f := range rest {
		k, v, _ := strings.Cut(f, "=")
		switch k {
		case "seq":
			p.Seq = uint32(number(t, v))
		case "ack":
			p.Ack = uint32(number(t, v))
		case "len":
			p.PayLen = uint32(number(t, v))
		case "win":
			p.Win = uint16(number(t, v))
		case "cap":
			cut = number(t, v)
		case "app":
			payload = payloads[v]
		case "bad":
			p.Flags |= packet.BadChecksum
		}
	}
	kind, arg, _ := strings.Cut(what, ",")
	switch kind {
	case "udp":
		p.Proto, p.IPLen, p.UDPLen = packet.UDP, p.PayLen+28, uint16(p.PayLen+8)
		if arg != "" {
			p.UDPLen = uint16(number(t, arg))
		}
	case "icmp":
		icmpType, code, _ := strings.Cut(arg, "/")
		p.Proto, p.IPLen = packet.ICMP, p.PayLen+28
		p.SrcPort, p.DstPort = uint16(number(t, icmpType)), uint16(number(t, code))
	case "proto":
		p.Proto, p.IPLen, p.SrcPort, p.DstPort = uint8(number(t, arg)), p.PayLen+20, 0, 0
	default:
		p.Proto, p.IPLen = packet.TCP, p.PayLen+40
		for i, c := range "FSRPAU" {
			if strings.ContainsRune(kind, c) {
				p.TCPFlags |= 1 << i
			}
		}
	}
	if p.CapLen = p.PayLen; cut >= 0 {
		p.CapLen = uint32(cut)
	}
	if p.Proto == packet.UDP {
		p.App = dpd.Datagram([]byte(payload), p.SrcPort, p.DstPort)
	} else {
		p.App = dpd.Stream([]byte(payload), p.SrcPort, p.DstPort)
	}
	p.Hash = symmetricHash(&p)
	return p
}

// payloads are the words for payloads that look like something.
var payloads = map[string]string{
	"http": "GET / HTTP/1.1\r\n\r\n", "reply": "HTTP/1.1 200 OK\r\n\r\n", "other": "what?\n", "banner": "220 mail\r\n", "ehlo": "EHLO x\r\n",
	"query": "\x00\x07\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00", "answer": "\x00\x07\x81\x00\x00\x00\x00\x00\x00\x00\x00\x00",
	"junk":   "\x00\x07\x01\x00\x01\xf4\x00\x00\x00\x00\x00\x00",
	"update": "\x00\x07\x28\x00\x00\x00\x00\x00\x00\x00\x00\x00", "ssh": "SSH-2.0-x\r\n", "keys": "\x00\x00\x00\x0c\x0a\x15\x00\x00",
}

func number(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// brief is a record in the words of the cases below.
func brief(c *logs.Conn) string {
	s := fmt.Sprintf("%s %d>%d %s %s", c.Proto, c.OrigP, c.RespP, c.ConnState, c.History)
	if c.HasDuration {
		s += fmt.Sprintf(" %.1fs %d/%d", c.Duration, c.OrigBytes, c.RespBytes)
	}
	if c.Service != "" {
		s += " " + c.Service
	}
	if c.MissedBytes > 0 {
		s += fmt.Sprintf(" missed %d", c.MissedBytes)
	}
	return s + fmt.Sprintf(" %d/%d", c.OrigPkts, c.RespPkts)
}

// What Zeek 8 says to hand-made packets, and the rules that no other test names.
// The flag sets and jumps among them are those of golden/random, whose records are Zeek's.
var cases = []struct{ name, packets, want string }{
	{"whole connection", `
		0.0 A>B:6001 S seq=100
		0.1 B>A:6001 SA seq=900 ack=101
		0.2 A>B:6001 A seq=101 ack=901
		0.3 A>B:6001 PA seq=101 ack=901 len=10
		0.4 B>A:6001 PA seq=901 ack=111 len=20
		0.5 A>B:6001 FA seq=111 ack=921
		0.6 B>A:6001 FA seq=921 ack=112
		0.7 A>B:6001 A seq=112 ack=922`,
		`tcp 4000>6001 SF ShADdFf 0.6s 10/20 5/3`},
	{"lone SYN", `0 A>B:6001 S seq=1`, `tcp 4000>6001 S0 S 1/0`},
	{"SYN again after the attempt's five seconds", `
		0 A>B:6001 S seq=1
		3 A>B:6001 S seq=1
		7 A>B:6001 S seq=1`,
		`tcp 4000>6001 S0 S 3.0s 0/0 2/0; tcp 4000>6001 S0 S 1/0`},
	{"other SYN replaces", `
		0 A>B:6001 S seq=1
		1 A>B:6001 S seq=9999`,
		`tcp 4000>6001 S0 S 1/0; tcp 4000>6001 S0 S 1/0`},
	{"lost data that is acknowledged", `
		0.0 A>B:6001 S seq=100
		0.1 B>A:6001 SA seq=900 ack=101
		0.2 A>B:6001 A seq=101 ack=901
		0.3 A>B:6001 PA seq=151 ack=901 len=10
		0.4 B>A:6001 A seq=901 ack=161`,
		`tcp 4000>6001 S1 ShADaG 0.4s 60/0 missed 50 3/2`},
	{"data cut by the snapshot length", `
		0.0 A>B:6001 S seq=100
		0.1 B>A:6001 SA seq=900 ack=101
		0.2 A>B:6001 PA seq=101 ack=901 len=100 cap=10
		0.3 B>A:6001 A seq=901 ack=201`,
		`tcp 4000>6001 S1 ShDaG 0.3s 100/0 missed 100 2/2`},
	{"bad checksum only", `0 A>B:6001 S seq=1 bad`, `tcp 4000>6001 OTH C 0/0`},
	{"midstream", `
		0.0 A>B:6001 PA seq=100 ack=900 len=7
		0.1 B>A:6001 PA seq=900 ack=107 len=9
		0.3 A>B:6001 FA seq=107 ack=909`,
		`tcp 4000>6001 SH DdF 0.3s 7/9 2/1`},
	{"SYN-ACK first", `
		0.0 B>A:6001 SA seq=900 ack=101
		0.1 A>B:6001 A seq=101 ack=901
		0.2 A>B:6001 PA seq=101 ack=901 len=5`,
		`tcp 4000>6001 OTH ^hAD 0.2s 5/0 2/1`},
	{"SYN-ACK first, from a server's port", `
		0.0 B>A:443 SA seq=900 ack=101`,
		`tcp 4000>443 OTH ^h 0/1`},
	{"SYN-ACK before its SYN", `
		0.0 B>A:6001 SA seq=900 ack=101
		0.1 A>B:6001 S seq=100
		0.2 A>B:6001 A seq=101 ack=901`,
		`tcp 4000>6001 S1 Hs^A 0.2s 0/0 2/1`},
	{"refused", `
		0.0 A>B:6001 S seq=100
		0.1 B>A:6001 RA seq=0 ack=101`,
		`tcp 4000>6001 REJ Sr 0.1s 0/0 1/1`},
	{"close waits for a hole", `
		0.0 A>B:6001 S seq=100
		0.1 B>A:6001 SA seq=900 ack=101
		0.2 A>B:6001 A seq=101 ack=901
		0.3 A>B:6001 FA seq=201 ack=901
		0.4 B>A:6001 FA seq=901 ack=101
		3.0 A>B:6001 A seq=202 ack=902`,
		`tcp 4000>6001 SF ShAFf 3.0s 100/0 4/2`},
	{"FIN and then RST of one side ends by the check", `
		0.0 A>B:6001 S seq=100
		0.1 B>A:6001 SA seq=900 ack=101
		0.2 A>B:6001 A seq=101 ack=901
		0.3 A>B:6001 FA seq=101 ack=901
		0.4 A>B:6001 R seq=102
		5.5 B>A:6001 A seq=901 ack=101`,
		`tcp 4000>6001 RSTO ShAFR 0.4s 0/0 4/1; tcp 6001>4000 OTH A 1/0`},
	{"letters by powers of ten", repeat(11, `%d A>B:6001 PA seq=100 ack=1 len=5`),
		`tcp 4000>6001 OTH DTT 10.0s 5/0 11/0`},
	{"long history", repeat(40, `0.%02d A>B:6001 R seq=%[1]d00`),
		`tcp 4000>6001 OTH ` + strings.Repeat("R", 40) + ` 0.4s 0/0 40/0`},
	{"login ports live an hour", `
		0.0 A>B:22 S seq=100
		0.1 B>A:22 SA seq=900 ack=101
		3000 A>B:22 A seq=101 ack=901`,
		`tcp 4000>22 S1 ShA 3000.0s 0/0 2/1`},
	{"others five minutes", `
		0.0 A>B:6001 S seq=100
		0.1 B>A:6001 SA seq=900 ack=101
		300.1 A>B:6001 A seq=101 ack=901`,
		`tcp 4000>6001 S1 Sh 0.1s 0/0 1/1; tcp 4000>6001 OTH A 1/0`},
	{"UDP", `
		0 A>B:6002 udp len=3
		1 B>A:6002 udp len=6`,
		`udp 4000>6002 SF Dd 1.0s 3/6 1/1`},
	{"UDP length of zero", `0 A>B:6002 udp,0 len=3`, `udp 4000>6002 OTH D 1/0`},
	{"UDP bad, then good", `
		0 A>B:6002 udp len=3 bad
		1 A>B:6002 udp len=3`,
		`udp 4000>6002 S0 CD 1.0s 3/0 1/0`},
	{"UDP from a server's port", `0 B>A:53 udp len=3`, `udp 4000>53 SHR ^d 0/1`},
	{"DNS flows are checked every ten seconds", `
		0 A>B:53 udp len=19
		15 A>B:53 udp len=19`,
		`udp 4000>53 S0 D 1/0; udp 4000>53 S0 D 1/0`},
	{"silence that a check of DNS does not find long enough", `
		0 A>B:53 udp len=19
		4 A>B:53 udp len=19
		13.04 A>B:53 udp len=19
		25 A>B:53 udp len=19`,
		`udp 4000>53 S0 D 13.0s 57/0 3/0; udp 4000>53 S0 D 1/0`},
	{"UDP idle", `
		0 A>B:6002 udp len=3
		55 A>B:6002 udp len=3
		114 A>B:6002 udp len=3
		175 A>B:6002 udp len=3`,
		`udp 4000>6002 S0 D 114.0s 9/0 3/0; udp 4000>6002 S0 D 1/0`},
	{"ping", `
		0.0 A>B:0 icmp,8/0 len=4
		0.1 B>A:0 icmp,0/0 len=4`,
		`icmp 8>0 OTH  0.1s 4/4 1/1`},
	{"one-way ICMP in both directions", `
		0.0 A>B:0 icmp,3/1 len=4
		0.1 B>A:0 icmp,3/1 len=4`,
		`icmp 3>1 OTH  1/0; icmp 3>1 OTH  1/0`},
	{"ICMP whose code is its type", `
		0.0 A>B:0 icmp,3/3 len=4
		0.1 B>A:0 icmp,3/3 len=4`,
		`icmp 3>3 OTH  1/0; icmp 3>3 OTH  1/0`},
	{"cut ICMP counts bytes only", `
		0 A>B:0 icmp,8/0 len=50
		1 A>B:0 icmp,8/0 len=50 cap=10`,
		`icmp 8>0 OTH  1.0s 100/0 1/0`},
	{"request and reply", `
		0.0 A>B:80 S seq=100
		0.1 B>A:80 SA seq=900 ack=101
		0.2 A>B:80 PA seq=101 ack=901 len=10 app=http
		0.3 B>A:80 PA seq=901 ack=111 len=20 app=reply`,
		`tcp 4000>80 S1 ShDd 0.3s 10/20 http 2/2`},
	{"a request alone speaks for itself", `
		0.0 A>B:80 S seq=100
		0.1 B>A:80 SA seq=900 ack=101
		0.2 A>B:80 PA seq=101 ack=901 len=10 app=http`,
		`tcp 4000>80 S1 ShD 0.2s 10/0 http 2/1`},
	{"a reply that is none takes it back", `
		0.0 A>B:80 S seq=100
		0.1 B>A:80 SA seq=900 ack=101
		0.2 A>B:80 PA seq=101 ack=901 len=10 app=http
		0.3 B>A:80 PA seq=901 ack=111 len=20 app=other`,
		`tcp 4000>80 S1 ShDd 0.3s 10/20 2/2`},
	{"only the first bytes count", `
		0.0 A>B:80 S seq=100
		0.1 B>A:80 SA seq=900 ack=101
		0.2 A>B:80 PA seq=101 ack=901 len=10 app=other
		0.3 A>B:80 PA seq=111 ack=901 len=10 app=http`,
		`tcp 4000>80 S1 ShD 0.3s 20/0 3/1`},
	{"in the middle nothing can be told", `
		0.2 A>B:6001 PA seq=101 ack=901 len=10 app=http
		0.3 B>A:6001 PA seq=901 ack=111 len=20 app=reply`,
		`tcp 4000>6001 OTH Dd 0.1s 10/20 1/1`},
	{"a banner needs its client", `
		0.0 A>B:6001 S seq=100
		0.1 B>A:6001 SA seq=900 ack=101
		0.2 B>A:6001 PA seq=901 ack=101 len=10 app=banner
		0.3 A>B:6001 PA seq=101 ack=911 len=10 app=ehlo`,
		`tcp 4000>6001 S1 ShdD 0.3s 10/10 smtp 2/2`},
	{"a DNS query, at its port", `0 A>B:53 udp len=30 app=query`, `udp 4000>53 S0 D dns 1/0`},
	{"a DNS query, elsewhere", `0 A>B:6001 udp len=30 app=query`, `udp 4000>6001 S0 D 1/0`},
	{"a DNS reply first", `
		0 A>B:5353 udp len=30 app=answer
		1 B>A:5353 udp len=40 app=query`,
		`udp 5353>4000 S0 D^ 1.0s 70/0 dns 2/0`},
	{"what is no DNS at its port is waited for as any UDP, once another datagram has come", `
		0 A>B:53 udp len=30 app=junk
		0.5 B>A:53 udp len=40
		12 A>B:53 udp len=30 app=query
		24 A>B:53 udp len=30`,
		`udp 4000>53 SF Dd 24.0s 90/40 3/1`},
	{"until then it is given up as DNS", `
		0 A>B:53 udp len=30 app=junk
		12 A>B:53 udp len=30
		24 A>B:53 udp len=30`,
		`udp 4000>53 S0 D 1/0; udp 4000>53 S0 D 1/0; udp 4000>53 S0 D 1/0`},
	{"a DNS operation that is not followed", `
		0 A>B:53 udp len=30 app=update
		1 B>A:53 udp len=40 app=update`,
		`udp 4000>53 SF DXd 1.0s 30/40 1/1`},
	{"retransmitted, a request is no second one", `
		0.0 A>B:80 S seq=100
		0.1 B>A:80 SA seq=900 ack=101
		0.2 B>A:80 PA seq=901 ack=101 len=10 app=other
		0.3 A>B:80 PA seq=101 ack=911 len=10 app=http
		0.4 A>B:80 PA seq=101 ack=911 len=10 app=http`,
		`tcp 4000>80 S1 ShdDT 0.4s 10/10 3/2`},
	{"what follows lost octets is not the beginning", `
		0.0 A>B:80 S seq=100
		0.1 B>A:80 SA seq=900 ack=101
		0.2 A>B:80 PA seq=101 ack=901 len=10 app=http
		0.3 A>B:80 A seq=111 ack=911
		0.4 B>A:80 PA seq=911 ack=111 len=10 app=other`,
		`tcp 4000>80 S1 ShDAgd 0.4s 10/20 http missed 10 3/2`},
	{"SSH may be silent for an hour, on any port", `
		0 A>B:6001 S seq=100
		0.1 B>A:6001 SA seq=900 ack=101
		0.2 A>B:6001 PA seq=101 ack=901 len=10 app=ssh
		0.3 B>A:6001 PA seq=901 ack=111 len=10 app=ssh
		0.4 A>B:6001 PA seq=111 ack=911 len=10 app=keys
		3000 A>B:6001 A seq=121 ack=911`,
		`tcp 4000>6001 S1 ShDdA 3000.0s 20/10 ssh 4/2`},
	{"SYN and FIN at once", `0 A>B:6001 SF seq=100`, `tcp 4000>6001 SH Q 1/0`},
	{"SYN and RST at once", `0 A>B:6001 SR seq=100`, `tcp 4000>6001 OTH Q 1/0`},
	{"FIN and RST at once", `
		0.0 A>B:6001 S seq=100
		0.1 B>A:6001 SA seq=900 ack=101
		0.2 A>B:6001 FRA seq=101 ack=901`, `tcp 4000>6001 RSTO ShI 0.2s 0/0 2/1`},
	{"all flags", `0 A>B:6001 SFRPAU seq=100 ack=1`, `tcp 4000>6001 OTH I 1/0`},
	{"no flags", `0 A>B:6001 - seq=100
		1 B>A:6001 - seq=900`, `tcp 4000>6001 OTH  1.0s 0/0 1/1`},
	{"data in a RST is none", `
		0.0 A>B:6001 S seq=100
		0.1 B>A:6001 SA seq=900 ack=101
		0.2 B>A:6001 R seq=901 len=50`, `tcp 4000>6001 RSTR Shrt 0.2s 0/0 1/2`},
	{"a sequence number far ahead", `
		0.0 A>B:6001 S seq=100
		0.1 B>A:6001 SA seq=900 ack=101
		0.2 A>B:6001 PA seq=101 ack=901 len=10
		0.3 A>B:6001 PA seq=2000000000 ack=901 len=10`, `tcp 4000>6001 S1 ShD 0.3s 1999999909/0 3/1`},
	{"a sequence number from before", `
		0.0 A>B:6001 S seq=100000
		0.1 B>A:6001 SA seq=900 ack=100001
		0.2 A>B:6001 PA seq=50 ack=901 len=10`, `tcp 4000>6001 S1 ShDT 0.2s 0/0 2/1`},
	{"sequence numbers that wrap", `
		0.0 A>B:6001 S seq=4294967290
		0.1 B>A:6001 SA seq=900 ack=4294967291
		0.2 A>B:6001 PA seq=4294967291 ack=901 len=10
		0.3 B>A:6001 A seq=901 ack=5
		0.4 A>B:6001 FA seq=5 ack=901
		0.5 B>A:6001 FA seq=901 ack=6
		0.6 A>B:6001 A seq=6 ack=902`, `tcp 4000>6001 SF ShDaFfA 0.5s 10/0 4/3`},
	{"an acknowledgement of what is still to come", `
		0.0 A>B:6001 S seq=100
		0.1 B>A:6001 SA seq=900 ack=101
		0.2 A>B:6001 A seq=101 ack=901
		0.3 B>A:6001 A seq=901 ack=5101
		0.4 A>B:6001 PA seq=101 ack=901 len=10`, `tcp 4000>6001 S1 ShAaGD 0.4s 5000/0 missed 5000 3/2`},
	{"segments that overlap", `
		0.0 A>B:6001 S seq=100
		0.1 B>A:6001 SA seq=900 ack=101
		0.2 A>B:6001 PA seq=101 ack=901 len=20
		0.3 A>B:6001 PA seq=111 ack=901 len=20
		0.4 A>B:6001 PA seq=101 ack=901 len=30
		0.5 B>A:6001 A seq=901 ack=131`, `tcp 4000>6001 S1 ShDTa 0.5s 30/0 4/2`},
	{"a window that closes and opens", `
		0.0 A>B:6001 S seq=100
		0.1 B>A:6001 SA seq=900 ack=101
		0.2 B>A:6001 A seq=901 ack=101 win=0
		0.3 B>A:6001 A seq=901 ack=101 win=65535
		0.4 A>B:6001 PA seq=101 ack=901 len=1400`, `tcp 4000>6001 S1 ShawD 0.4s 1400/0 2/3`},
	{"a wrong checksum in between", `
		0.0 A>B:6001 S seq=100
		0.1 B>A:6001 SA seq=900 ack=101
		0.2 A>B:6001 PA seq=101 ack=901 len=10 bad
		0.3 A>B:6001 PA seq=101 ack=901 len=10`, `tcp 4000>6001 S1 ShCD 0.3s 10/0 2/1`},
	{"port 0", `
		0.0 A>B:0 S seq=100
		0.1 B>A:0 RA seq=0 ack=101`, `tcp 4000>0 REJ Sr 0.1s 0/0 1/1`},
	{"UDP port 0", `
		0 A>B:0 udp len=5
		1 B>A:0 udp len=6`, `udp 4000>0 SF Dd 1.0s 5/6 1/1`},
	{"source equals destination", `
		0.0 A>A:4000 S seq=100
		0.1 A>A:4000 SA seq=100 ack=101`, `tcp 4000>4000 S0 S 0.1s 0/0 2/0`},
	{"UDP to itself", `
		0 A>A:4000 udp len=5
		1 A>A:4000 udp len=6`, `udp 4000>4000 S0 D 1.0s 11/0 2/0`},
	{"multicast is not answered", `
		0 A>M:6001 udp len=5
		1 B>A:6001 udp len=6`, `udp 4000>6001 S0 D 1/0; udp 6001>4000 S0 D 1/0`},
	{"broadcast to a server's port", `
		0 A>X:67 udp len=5
		1 A>X:67 udp len=5`, `udp 4000>67 S0 D 1.0s 10/0 2/0`},
	{"an ICMP error about nothing", `0 A>B:0 icmp,3/200 len=3`, `icmp 3>200 OTH  1/0`},
	{"an ICMP type that nobody has", `
		0.0 A>B:0 icmp,250/7 len=0
		0.1 B>A:0 icmp,250/7 len=0`, `icmp 250>7 OTH  1/0; icmp 250>7 OTH  1/0`},
	{"other transport", `
		0 A>B:0 proto,132 len=12
		1 B>A:0 proto,132 len=12`,
		`unknown_transport 0>0 OTH  1.0s 0/0 1/1`},
}

func repeat(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format+"\n", i)
	}
	return b.String()
}

func TestCases(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			ps := script(t, c.packets)
			tr, out := collect(conn.DefaultConfig())
			for i := range ps {
				tr.Handle(&ps[i])
			}
			tr.Flush(ps[len(ps)-1].Eff)
			var got []string
			for _, r := range sorted(*out) {
				got = append(got, brief(&r.c))
			}
			if s := strings.Join(got, "; "); s != c.want {
				t.Errorf("\ngot  %s\nwant %s", s, c.want)
			}
		})
	}
}
