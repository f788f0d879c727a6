package pcapfile

import (
	"math/bits"

	"pcapdir/source/packet"
)

// maxIfaces bounds the interfaces of one section, hence memory: obsolete packet
// blocks cannot name more.
const maxIfaces = 1 << 16

// Options of an interface description that change what its packets say.
const (
	optEnd      = 0
	optTsresol  = 9
	optTsoffset = 14
)

// maxStamp is where stamps saturate, on both sides of the epoch: the span between
// any two stamps, and a stamp plus any timeout, still fit packet.Time.
const (
	maxStamp = 1<<62 - 1
	maxSec   = maxStamp/1_000_000_000 - 1
)

// iface is what the packets of an interface need of its description.
type iface struct {
	units    uint64 // of stamps, per second; never 0
	offset   int64  // seconds to add
	scale    uint64 // nanoseconds per unit where stamps up to direct are a plain product, else 0
	direct   uint64
	snaplen  uint32 // 0: no limit
	linkType uint16
}

// readInterface reads the interface description that starts here.
func (r *Reader) readInterface() error {
	b, err := r.wholeBlock(interfaceMinLen)
	if err != nil {
		return err
	}
	if len(r.ifaces) == maxIfaces {
		return r.damage(r.in.offset(), "more than %d interfaces in a section", maxIfaces)
	}
	f := iface{linkType: r.u16(b[8:]), snaplen: r.u32(b[12:]), units: 1e6}
	if reason := r.readOptions(&f, b[16:len(b)-4]); reason != "" {
		return r.damage(r.in.offset(), "%s %s", r.blockName(), reason)
	}
	f.setScale()
	r.ifaces = append(r.ifaces, f)
	r.declare(f.linkType)
	r.in.pos += len(b)
	return nil
}

// setScale finds whether stamps are a plain product, as nearly all are.
func (f *iface) setScale() {
	if f.offset == 0 && f.units <= 1e9 && 1e9%f.units == 0 {
		f.scale = 1e9 / f.units
		f.direct = maxStamp / f.scale
	}
}

// readOptions takes what matters out of the options b, or says what is wrong.
//
//	option: code 2 · length 2 · value, padded to 4
func (r *Reader) readOptions(f *iface, b []byte) (reason string) {
	for len(b) >= 4 {
		code, n := r.u16(b), int(r.u16(b[2:]))
		b = b[4:]
		if code == optEnd {
			break
		}
		if n > len(b) {
			return "has an option that is longer than its block"
		}
		switch val := b[:n]; code {
		case optTsresol:
			if n != 1 {
				return "has a time resolution that is not 1 byte"
			}
			if f.units = unitsPerSecond(val[0]); f.units == 0 {
				return "has a time resolution that no 64-bit stamp can have"
			}
		case optTsoffset:
			if n != 8 {
				return "has a time offset that is not 8 bytes"
			}
			f.offset = r.i64(val)
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	return ""
}

// i64 is the number at the start of b in the byte order of the section.
func (r *Reader) i64(b []byte) int64 {
	first, second := uint64(r.u32(b)), uint64(r.u32(b[4:]))
	if r.big {
		return int64(first<<32 | second)
	}
	return int64(second<<32 | first)
}

// unitsPerSecond decodes if_tsresol: a negative power of 2 where the top bit is
// set, else of 10. It is 0 where the power does not fit 64 bits, as in libpcap.
func unitsPerSecond(resol byte) uint64 {
	n := int(resol & 0x7f)
	if resol&0x80 != 0 {
		if n > 63 {
			return 0
		}
		return 1 << n
	}
	if n > 19 {
		return 0
	}
	units := uint64(1)
	for range n {
		units *= 10
	}
	return units
}

// stamp is the packet time of t units. What is below a nanosecond is cut.
func (f *iface) stamp(t uint64) packet.Time {
	if f.scale != 0 && t <= f.direct {
		return packet.Time(t * f.scale)
	}
	// frac < units, so that the quotient is below 1e9 and the division defined.
	sec, frac := t/f.units, t%f.units
	hi, lo := bits.Mul64(frac, 1e9)
	nsec, _ := bits.Div64(hi, lo, f.units)

	// The sum in 128 bits, for both parts may use all their 64.
	lo, carry := bits.Add64(sec, uint64(f.offset), 0)
	hi = uint64(f.offset>>63) + carry
	switch {
	case hi == 0 && lo <= maxSec, hi == ^uint64(0) && int64(lo) < 0 && int64(lo) >= -maxSec:
		return packet.Unix(int64(lo), int64(nsec))
	case int64(hi) < 0:
		return -maxStamp
	default:
		return maxStamp
	}
}
