package conn

import (
	"encoding/binary"

	"github.com/cespare/xxhash/v2"

	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
)

// makeUID names a connection by what no run changes: its tuple, the stamp and
// effective time of its first packet, n, how many flows of the same tuple it
// directly replaced at that same effective time, and again: see bounds.again.
func makeUID(key uint64, k *tuple, ts, eff packet.Time, n, again uint32) logs.UID {
	var b [73]byte
	le := binary.LittleEndian
	src, dst, srcPort, dstPort := k.canonical()
	le.PutUint64(b[0:], key)
	copy(b[8:], src[:])
	copy(b[24:], dst[:])
	le.PutUint16(b[40:], srcPort)
	le.PutUint16(b[42:], dstPort)
	b[44] = k.proto
	le.PutUint64(b[48:], uint64(ts))
	le.PutUint64(b[56:], uint64(eff))
	le.PutUint32(b[64:], n)
	le.PutUint32(b[68:], again)
	var uid logs.UID
	le.PutUint64(uid[:8], xxhash.Sum64(b[:]))
	b[72] = 1 // a second, independent hash of the same
	le.PutUint32(uid[8:], uint32(xxhash.Sum64(b[:])))
	return uid
}
