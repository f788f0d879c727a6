package conn

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"math/bits"

	"pcapdir/source/packet"
)

// appendCommunityID appends the Community ID of a flow, version 1 with seed 0
// (github.com/corelight/community-id-spec). The smaller end comes first, except
// for one-way ICMP; transports without ports leave those out. Between equal
// addresses Zeek compares the ports as they lie in a little-endian memory; so do
// we, to give the ids that Zeek gives.
func appendCommunityID(dst []byte, f *flow) []byte {
	a, b := &f.addr[orig], &f.addr[resp]
	aPort, bPort := f.port[orig], f.port[resp]
	swapped := bits.ReverseBytes16(aPort) > bits.ReverseBytes16(bPort)
	if c := a.Compare(*b); f.marks&markOneWay == 0 && (c > 0 || c == 0 && swapped) {
		a, b, aPort, bPort = b, a, bPort, aPort
	}
	var buf [2 + 16 + 16 + 2 + 4]byte
	in := buf[:2] // the seed
	in = append(in, addrBytes(a)...)
	in = append(in, addrBytes(b)...)
	in = append(in, f.proto, 0)
	if f.transport() != other || f.proto == sctp {
		in = binary.BigEndian.AppendUint16(in, aPort)
		in = binary.BigEndian.AppendUint16(in, bPort)
	}
	sum := sha1.Sum(in)
	return base64.StdEncoding.AppendEncode(append(dst, "1:"...), sum[:])
}

// addrBytes is a as on the wire: 4 bytes for IPv4.
func addrBytes(a *packet.Addr) []byte {
	if a.Is4() {
		return a[12:]
	}
	return a[:]
}

// sctp has ports as far as Community ID is concerned; ours are 0, as in Zeek.
const sctp = 132
