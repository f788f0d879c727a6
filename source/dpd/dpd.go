// Package dpd says which applications a connection speaks, by content: dynamic
// protocol detection, as Zeek calls it. Whoever has a payload makes one byte of it
// (Stream, Datagram): what its beginning looks like. Whoever has the connection
// puts the bytes of both its sides together (Speech). So payloads end with the
// reader, and a connection keeps six bytes.
//
// A protocol is a file with its two halves and a row in the table. Where a name is
// Zeek's, its rules are Zeek's: at which ports an analyzer looks without asking,
// by which signature it does so anywhere, what confirms it, what breaks it.
package dpd

import (
	"encoding/binary"
	"slices"

	"github.com/cespare/xxhash/v2"

	"pcapdir/source/packet"
)

// protocol is a row: where it is looked for and how, and what is made of it.
type protocol struct {
	name string // in conn.log
	// tcp and udp are the responder's ports at which it is looked for first.
	tcp, udp []uint16
	// anywhere says that datagrams of it are told on other ports, too.
	anywhere bool
	// opens are the bytes with which a stream of it begins that is told on any
	// port. Empty: only at its ports.
	opens []byte
	// stream says what a segment looks like that begins there, none if not like
	// this protocol. datagram does so for UDP.
	stream   func(b []byte, w where) packet.App
	datagram func(b []byte) packet.App
	apps     []packet.App // what the two return
	// hear takes one of apps from a side. Nil: each confirms the protocol.
	hear func(s *Speech, v *voice)
	// midstream says that connections which were joined in the middle count.
	midstream bool
	// breaks says whether the first words of a responder, which are not of the
	// protocol, break it. Nil: never.
	breaks func(s *Speech, v *voice) bool
	// firm says that a datagram at its ports which is not of the protocol breaks it,
	// before it is confirmed or after.
	firm bool
	// login says that sessions of it may be silent for long.
	login bool
}

// where says how a protocol came to look at a segment.
type where uint8

const (
	anywhere   where = iota
	toServer         // it goes to a port of the protocol
	fromServer       // it comes from one
)

// byPort has the rows that are looked for at a port: sets of rows, by index, since
// most ports have none. sets[0] is empty.
type byPort struct {
	set  [1 << 16]uint8
	sets [][]*protocol
}

var (
	tcpPorts = ports(func(p *protocol) []uint16 { return p.tcp })
	udpPorts = ports(func(p *protocol) []uint16 { return p.udp })
	opening  = openings()
	anyUDP   = anywhereUDP()
	owners   = owned()
)

func ports(of func(*protocol) []uint16) *byPort {
	t := &byPort{sets: [][]*protocol{nil}}
	for i := range protocols {
		for _, port := range of(&protocols[i]) {
			if t.set[port] == 0 {
				t.set[port] = uint8(len(t.sets))
				t.sets = append(t.sets, nil)
			}
			n := t.set[port]
			t.sets[n] = append(t.sets[n], &protocols[i])
		}
	}
	return t
}

func (t *byPort) at(port uint16) []*protocol { return t.sets[t.set[port]] }

// openings are the rows worth a look by the first byte of a segment.
func openings() (t [256][]*protocol) {
	for i := range protocols {
		for _, c := range protocols[i].opens {
			t[c] = append(t[c], &protocols[i])
		}
	}
	return t
}

// anywhereUDP are the rows that are looked for in datagrams of any port.
func anywhereUDP() (rows []*protocol) {
	for i := range protocols {
		if p := &protocols[i]; p.datagram != nil && (p.udp == nil || p.anywhere) {
			rows = append(rows, p)
		}
	}
	return rows
}

// owned has for each of the bytes the index of its row, from 1.
func owned() (t [256]uint8) {
	for i := range protocols {
		for _, app := range protocols[i].apps {
			t[app] = uint8(i + 1)
		}
	}
	return t
}

// Digest tells tables of different versions apart: what a Speech holds are numbers
// of rows and looks of this one.
func Digest() uint64 {
	var b []byte
	for i := range protocols {
		b = append(append(b, protocols[i].name...), 0)
		for _, app := range protocols[i].apps {
			b = append(b, byte(app))
		}
	}
	return xxhash.Sum64(b)
}

// Stream says what the payload of a TCP segment looks like, from src to dst. It
// is never AppNone, unless b is empty.
func Stream(b []byte, src, dst uint16) packet.App {
	if len(b) == 0 {
		return packet.AppNone
	}
	for _, p := range tcpPorts.at(dst) {
		if app := p.stream(b, toServer); app != packet.AppNone {
			return app
		}
	}
	for _, p := range tcpPorts.at(src) {
		if app := p.stream(b, fromServer); app != packet.AppNone {
			return app
		}
	}
	for _, p := range opening[b[0]] {
		if app := p.stream(b, anywhere); app != packet.AppNone {
			return app
		}
	}
	return other
}

// Datagram is Stream for UDP. It is AppNone where nothing is recognised.
func Datagram(b []byte, src, dst uint16) packet.App {
	if len(b) == 0 {
		return packet.AppNone
	}
	missed := packet.AppNone
	for _, port := range [...]uint16{dst, src} {
		for _, p := range udpPorts.at(port) {
			if app := p.datagram(b); app != packet.AppNone {
				return app
			}
			if p.firm {
				missed = unfit
			}
		}
	}
	for _, p := range anyUDP {
		if app := p.datagram(b); app != packet.AppNone {
			return app
		}
	}
	return missed
}

// be16, be32 and le16 read numbers at an offset that the caller has checked.
func be16(b []byte, at int) int { return int(binary.BigEndian.Uint16(b[at:])) }
func be32(b []byte, at int) int { return int(binary.BigEndian.Uint32(b[at:])) }
func le16(b []byte, at int) int { return int(binary.LittleEndian.Uint16(b[at:])) }

// is says whether app is one of some.
func is(app packet.App, some ...packet.App) bool { return slices.Contains(some, app) }
