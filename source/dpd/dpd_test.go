package dpd

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"pcapdir/source/dpd/dpdtest"
	"pcapdir/source/packet"
)

const client = 40000

var ear Ear

// app is what a turn of a conversation looks like.
func app(c *dpdtest.Conversation, turn *dpdtest.Turn) packet.App {
	src, dst := uint16(client), c.Port
	if turn.Server {
		src, dst = dst, src
	}
	if c.UDP {
		return Datagram(turn.Bytes, src, dst)
	}
	return Stream(turn.Bytes, src, dst)
}

// hear is the conversation, as the connection's owner passes it on.
func hear(c *dpdtest.Conversation, middle bool) (s Speech) {
	said, bytes := [2]bool{}, 0
	for i := range c.Turns {
		role := orig
		if c.Turns[i].Server {
			role = resp
		}
		var at Place
		if bytes += len(c.Turns[i].Bytes); bytes > LongAfter {
			at |= Long
		}
		if said[role] && !c.UDP {
			at |= Later
		}
		if middle {
			at |= Middle
		}
		ear.Hear(&s, role, app(c, &c.Turns[i]), at)
		said[role] = true
	}
	return s
}

func TestConversations(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range dpdtest.All() {
		s := hear(&c, false)
		if got := s.Names(); got != c.Want {
			t.Errorf("%s: %q, want %q", c.Name, got, c.Want)
		}
		for name := range bytes.SplitSeq([]byte(c.Want), []byte(",")) {
			seen[string(name)] = true
		}
	}
	others := []string{"vxlan", "geneve", "gtpv1", "teredo", "ayiya", "ftp-data"} // the decoder tells of tunnels, another connection of data
	for _, p := range protocols {
		if p.name != "" && !seen[p.name] && !slices.Contains(others, p.name) {
			t.Errorf("no conversation has %s", p.name)
		}
	}
}

// Half of a conversation, and what is cut anywhere, is no more than the whole: no
// name comes of it that the whole has not, or had before something broke it.
func TestPartsOfConversations(t *testing.T) {
	for _, c := range dpdtest.All() {
		if c.Want == "" {
			continue
		}
		for n := range c.Turns {
			part := c
			part.Turns = c.Turns[:n]
			s := hear(&part, false)
			if got := s.Names(); len(got) > len(c.Want) {
				t.Errorf("%s, %d turns: %q, want at most %q", c.Name, n, got, c.Want)
			}
		}
	}
}

// In the middle only those protocols are told whose analyzers Zeek lets see it.
func TestMiddle(t *testing.T) {
	for _, c := range dpdtest.All() {
		if c.UDP {
			continue
		}
		s := hear(&c, true)
		for name := range bytes.SplitSeq([]byte(s.Names()), []byte(",")) {
			for _, p := range protocols {
				if p.stream != nil && p.name == string(name) && p.name != "" && !p.midstream {
					t.Errorf("%s, in the middle: %q", c.Name, s.Names())
				}
			}
		}
	}
}

// Every byte that a row can return is its own, and no other row's.
func TestBytesAreOwned(t *testing.T) {
	owner := map[packet.App]string{}
	for _, p := range protocols {
		for _, app := range p.apps {
			if before, ok := owner[app]; ok {
				t.Errorf("%s and %s share %d", before, p.name, app)
			}
			owner[app] = p.name
			if app == packet.AppNone || app == other {
				t.Errorf("%s has a byte that is nobody's", p.name)
			}
		}
		if len(p.opens) > 0 && p.stream == nil || len(p.tcp) > 0 && p.stream == nil || len(p.udp) > 0 && p.datagram == nil {
			t.Errorf("%s is looked for without a way to", p.name)
		}
	}
	if len(protocols) >= int(settled) {
		t.Errorf("%d protocols do not fit into a service", len(protocols))
	}
}

// Roles may turn round in the middle of it.
func TestSwap(t *testing.T) {
	var s Speech
	ear.Hear(&s, orig, sshVersion, 0)
	s.Swap()
	ear.Hear(&s, orig, sshVersion, 0)
	ear.Hear(&s, orig, sshKeys, Later)
	if s.Names() != "ssh" {
		t.Errorf("%q", s.Names())
	}
}

// What a reply to a query that was not seen does.
func TestEffects(t *testing.T) {
	for _, c := range []struct {
		role int
		app  packet.App
		want Effect
	}{
		{orig, dnsReply, Flip}, {orig, dnsQuery, 0}, {resp, dnsReply, 0}, {orig, dnsUnknown, Unknown}, {orig, netBIOSReply, Flip}, {orig, ntpReply, Flip}, {resp, ntpReply, 0}, {orig, ftpCommand, Login},
	} {
		var s Speech
		if got := ear.Hear(&s, c.role, c.app, 0); got != c.want {
			t.Errorf("%d from %d: effect %b, want %b", c.app, c.role, got, c.want)
		}
	}
	var s Speech
	ear.Hear(&s, orig, dnsQuery, 0)
	if got := ear.Hear(&s, orig, dnsReply, 0); got != 0 {
		t.Errorf("a later reply: effect %b", got)
	}
}

// Two names of one protocol are one.
func TestNamesOnce(t *testing.T) {
	var s Speech
	ear.Hear(&s, orig, dnsQuery, 0)
	ear.Hear(&s, resp, netBIOSQuery, 0)
	if got := s.Names(); got != "dns" {
		t.Errorf("%q", got)
	}
}

// Roles turn round once at most, whatever is broken or has no room.
func TestFlipsOnce(t *testing.T) {
	for _, before := range [][]packet.App{
		{ntpMessage, unfit}, {unfit}, {VXLAN, Geneve, GTPv1, AYIYA},
	} {
		var s Speech
		for _, app := range before {
			ear.Hear(&s, orig, app, 0)
		}
		for range 10 {
			for _, app := range []packet.App{ntpReply, dnsReply, netBIOSReply} {
				if ear.Hear(&s, orig, app, 0)&Flip != 0 {
					t.Errorf("%v, then %d: a flip", before, app)
				}
			}
		}
	}
}

// There is room for four names; a fifth is left out, and nothing is lost of the rest.
func TestRoom(t *testing.T) {
	var s Speech
	for _, app := range []packet.App{VXLAN, Geneve, GTPv1, AYIYA, dhcpMessage, VXLAN} {
		ear.Hear(&s, orig, app, 0)
	}
	if got := s.Names(); got != "vxlan,geneve,gtpv1,ayiya" {
		t.Errorf("%q", got)
	}
}

// check holds for any payload: what comes of it has an owner, and any prefix of it
// can be read.
func check(t *testing.T, b []byte, look func([]byte) packet.App) {
	t.Helper()
	keep := bytes.Clone(b)
	var s Speech
	for n := range min(len(b), 128) + 1 {
		app := look(b[:n:n])
		if app > unfit && owners[app] == 0 {
			t.Fatalf("%x looks like %d, which is nobody's", b[:n], app)
		}
		for role := range 2 {
			ear.Hear(&s, role, app, Place(n&3))
		}
	}
	look(b)
	if !bytes.Equal(b, keep) {
		t.Fatal("a payload was changed")
	}
	_ = s.Names()
}

func FuzzStream(f *testing.F) {
	for _, c := range dpdtest.All() {
		for _, turn := range c.Turns {
			f.Add(turn.Bytes, uint16(client), c.Port)
			f.Add(turn.Bytes, c.Port, uint16(client))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, src, dst uint16) {
		check(t, b, func(b []byte) packet.App { return Stream(b, src, dst) })
	})
}

func FuzzDatagram(f *testing.F) {
	for _, c := range dpdtest.All() {
		for _, turn := range c.Turns {
			f.Add(turn.Bytes, uint16(client), c.Port)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, src, dst uint16) {
		check(t, b, func(b []byte) packet.App { return Datagram(b, src, dst) })
	})
}

func BenchmarkStream(b *testing.B) {
	for _, c := range []struct {
		name     string
		payload  []byte
		src, dst uint16
	}{
		{"data to no known port", bytes.Repeat([]byte{0x5a}, 1400), 443, 40000},
		{"HTTP request", []byte("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"), 40000, 80},
		{"HTTP body", bytes.Repeat([]byte("<p>text"), 200), 80, 40000},
		{"text in capitals", bytes.Repeat([]byte("GETTING "), 150), 40000, 9999},
	} {
		b.Run(fmt.Sprintf("%s", c.name), func(b *testing.B) {
			for b.Loop() {
				Stream(c.payload, c.src, c.dst)
			}
		})
	}
}

// A payload costs no memory, whatever it says.
func TestHearingAllocatesNothing(t *testing.T) {
	all, s := dpdtest.All(), Speech{}
	if n := testing.AllocsPerRun(10, func() {
		for i := range all {
			s = Speech{}
			for j := range all[i].Turns {
				ear.Hear(&s, j%2, app(&all[i], &all[i].Turns[j]), 0)
			}
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
