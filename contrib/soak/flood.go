package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strings"

	"pcapdir/contrib/gen/traffic"
	"pcapdir/daemon/config"
	"pcapdir/daemon/pipeline"
	"pcapdir/source/decode/decodetest"
	"pcapdir/source/packet"
)

const (
	begins    = 1_700_000_000   // seconds since 1970
	step      = 2_000           // nanoseconds between packets
	jump      = 120_000_000_000 // nanoseconds that nothing comes, at half time: all of the flood ends then
	witnesses = 1000            // real connections in a flood
	exchanges = 10              // requests of each
	sprayed   = 1_000_000       // pairs of the flood called pairs
)

// flood is a flood from sources that nobody has, towards one host, and in it real
// connections of others. Those are called witnesses: their records must not show that
// there was a flood.
type flood struct {
	fill  func(b []byte, rng *rand.Rand) int // writes a frame of the flood and returns its length
	rng   *rand.Rand
	next  uint64 // packet
	half  uint64 // of all
	real  []witnessed
	alone []byte // a capture of the witnesses alone
	frame traffic.Frame
	buf   [128]byte
}

// witnessed is a packet of a witness.
type witnessed struct {
	at    uint64 // which packet of the flood it comes before
	bytes []byte
}

// floods are the kinds there are.
var floods = map[string]func(b []byte, rng *rand.Rand) int{
	"syn": func(b []byte, rng *rand.Rand) int {
		be.PutUint32(b[34:], uint32(rng.IntN(1<<16))<<16|80)
		be.PutUint32(b[38:], rng.Uint32())
		be.PutUint32(b[46:], 5<<28|uint32(packet.SYN)<<16|1024)
		return seal(b, rng.Uint32(), 6, 20)
	},
	"udp":   func(b []byte, rng *rand.Rand) int { return datagram(b, rng.Uint32(), rng) },
	"pairs": func(b []byte, rng *rand.Rand) int { return datagram(b, uint32(rng.IntN(sprayed)), rng) },
	"fragments": func(b []byte, rng *rand.Rand) int {
		n := datagram(b, rng.Uint32(), rng)
		be.PutUint32(b[18:], rng.Uint32()&^0xffff|0x2000) // more fragments
		be.PutUint16(b[24:], 0)
		be.PutUint16(b[24:], checksum(b[14:34], 0))
		return n
	},
}

var be = binary.BigEndian

// datagram is one of 16 bytes, between any ports.
func datagram(b []byte, src uint32, rng *rand.Rand) int {
	be.PutUint32(b[34:], rng.Uint32())
	be.PutUint32(b[38:], 24<<16)
	return seal(b, src, 17, 24)
}

// seal writes the headers below the transport's, which has so many bytes with all that
// it carries, and the checksums. Bit 31 of the source is that of witnesses.
func seal(b []byte, src uint32, proto uint8, size int) int {
	be.PutUint64(b, 0x0200_0000_0002_0200)
	be.PutUint64(b[6:], 0x0200_0000_0001_0800)
	be.PutUint32(b[14:], 0x4500<<16|uint32(20+size))
	be.PutUint32(b[18:], 0)
	be.PutUint32(b[22:], 64<<24|uint32(proto)<<16)
	be.PutUint32(b[26:], src&^(1<<31)|1<<24)
	be.PutUint32(b[30:], 10<<24|1)
	be.PutUint16(b[24:], checksum(b[14:34], 0))
	if proto == 6 {
		be.PutUint16(b[50:], 0)
		be.PutUint16(b[50:], checksum(b[26:34+size], uint32(proto)+uint32(size)))
	}
	return 34 + size
}

// checksum is the internet checksum (RFC 1071) of b and what is summed up already.
func checksum(b []byte, sum uint32) uint16 {
	for ; len(b) > 1; b = b[2:] {
		sum += uint32(be.Uint16(b))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// newFlood is a flood of so many packets.
func newFlood(kind string, packets uint64) (*flood, error) {
	fill := floods[kind]
	if fill == nil {
		return nil, fmt.Errorf("unknown -flood %q: wants syn, udp, pairs or fragments", kind)
	}
	f := &flood{fill: fill, rng: rand.New(rand.NewPCG(1, 1)), alone: container.AppendHeader(nil), half: packets / 2}
	for n := range witnesses {
		f.witness(n, packets)
	}
	slices.SortStableFunc(f.real, func(a, b witnessed) int { return cmp.Compare(a.at, b.at) })
	return f, nil
}

// witness lays out a connection over most of the flood: handshake, requests with their
// answers, and an orderly end.
func (f *flood) witness(n int, packets uint64) {
	there := decodetest.IP{Src: netip.AddrFrom4([4]byte{192, 168, byte(n >> 8), byte(n)}), Dst: netip.AddrFrom4([4]byte{192, 0, 2, 1})}
	back := decodetest.IP{Src: there.Dst, Dst: there.Src}
	at, every := f.rng.Uint64N(1+packets/10), packets*8/10/(exchanges+2)
	seq, ack := uint32(1), uint32(1)
	send := func(reply bool, flags packet.TCPFlags, payload string) {
		ip, tcp := there, decodetest.TCP{SrcPort: 2000, DstPort: 80, Seq: seq, Ack: ack, Flags: uint8(flags), Win: 1000}
		if reply {
			ip, tcp.SrcPort, tcp.DstPort, tcp.Seq, tcp.Ack = back, 80, 2000, ack, seq
		}
		used := uint32(len(payload))
		if flags&(packet.SYN|packet.FIN) != 0 {
			used++
		}
		if reply {
			ack += used
		} else {
			seq += used
		}
		f.real = append(f.real, witnessed{at, decodetest.Ether(ip.TCP(tcp, []byte(payload)))})
		at++
	}
	send(false, packet.SYN, "")
	send(true, packet.SYN|packet.ACK, "")
	send(false, packet.ACK, "")
	for range exchanges {
		at += f.rng.Uint64N(1 + every)
		send(false, packet.ACK|packet.PSH, strings.Repeat("?", 1+f.rng.IntN(99)))
		send(true, packet.ACK|packet.PSH, strings.Repeat("!", 1+f.rng.IntN(999)))
	}
	send(false, packet.ACK|packet.FIN, "")
	send(true, packet.ACK|packet.FIN, "")
	send(false, packet.ACK, "")
}

// Next is the next packet; the flood's until the one after it.
func (f *flood) Next() *traffic.Frame {
	f.frame.Nanos += step
	if f.next == 0 {
		f.frame.Nanos = begins * 1e9
	}
	if len(f.real) > 0 && f.real[0].at <= f.next {
		f.frame.Bytes, f.real = f.real[0].bytes, f.real[1:]
		f.frame.Wire = len(f.frame.Bytes)
		f.alone = container.AppendFrame(f.alone, &f.frame)
		return &f.frame
	}
	f.frame.Bytes = f.buf[:f.fill(f.buf[:], f.rng)]
	f.frame.Wire = len(f.frame.Bytes)
	if f.next++; f.next == f.half {
		f.frame.Nanos += jump
	}
	return &f.frame
}

// isWitness says whether a line of conn.log is about a witness.
func isWitness(line []byte) bool { return bytes.Contains(line, []byte(`"id.resp_h":"192.0.2.1"`)) }

// undisturbed are the records of the witnesses without a flood.
func (s *soak) undisturbed() (lines []string, err error) {
	if err := os.WriteFile(s.rig.Path("witnesses.pcap"), s.flood.alone, 0o644); err != nil {
		return nil, err
	}
	cfg := config.Default()
	cfg.Logs.Dir = s.rig.Path("undisturbed")
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	if _, err := pipeline.Read(context.Background(), pipeline.Options{Config: cfg, Log: quiet}, []string{s.rig.Path("witnesses.pcap")}); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(s.rig.Path("undisturbed", "conn.log"))
	for line := range bytes.Lines(text) {
		lines = append(lines, string(line))
	}
	return lines, err
}

// heard holds the records of the witnesses against those without a flood.
func (s *soak) heard() error {
	want, err := s.undisturbed()
	if err != nil {
		return err
	}
	slices.Sort(want)
	got := s.ledger.witnesses
	slices.Sort(got)
	if len(want) != witnesses || !slices.Equal(got, want) {
		for i := range min(len(got), len(want)) {
			if got[i] != want[i] {
				return fmt.Errorf("%d records of real connections, %d without the flood; the first that differs is\n%sand without it\n%s", len(got), len(want), got[i], want[i])
			}
		}
		return fmt.Errorf("%d records of real connections, %d without the flood", len(got), len(want))
	}
	return nil
}

// bounded says whether the daemon kept to limits.memory, plus a tenth.
func (s *soak) bounded() error {
	c := config.Default()
	if err := c.Set([]string{"limits.memory=" + s.memory}); err != nil {
		return err
	}
	limit := c.Limits.Memory
	fmt.Fprintf(s.out, "resident at most %d MiB of %d\n", s.peak>>20, limit>>20)
	if s.peak == 0 || s.peak > limit+limit/10 {
		return errors.New("more memory was taken than limits.memory and a tenth")
	}
	return nil
}
