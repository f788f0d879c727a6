// Package pages makes large tables of the Go heap in huge pages, where the
// kernel grants them to those who ask (madvise in
// /sys/kernel/mm/transparent_hugepage/enabled). Tables of millions of entries
// are read at random: with small pages each look waits for the page tables, too,
// and the first touch of each page costs more than what is written to it.
package pages

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	smallPage = 4 << 10
	hugePage  = 2 << 20 // of amd64, and of arm64 with small pages of 4 KiB
	// largest is how much a Chunks takes from the heap at a time, at most. What is
	// not used yet costs addresses only, unless the heap had the range before.
	largest = 16 * hugePage
)

// Make is n zero elements. T should hold no pointers: the collector reads the
// rest of a table that does.
func Make[T any](n int) []T {
	s := make([]T, n)
	advise(bytesOf(s), hugePage, unix.MADV_HUGEPAGE)
	return s
}

// MakeSpread is Make for a table that will be written all over, as by a hash. Its pages
// are there at once: one that is read before it is written costs two faults, and the
// second waits for all cores.
func MakeSpread[T any](n int) []T {
	s := Make[T](n)
	advise(bytesOf(s), smallPage, unix.MADV_POPULATE_WRITE)
	return s
}

func bytesOf[T any](s []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(*new(T))))
}

// advise gives the kernel advice on all whole pages of that size in b, which may be
// none. The memory stays the collector's; the advice stays with the addresses, whatever
// the heap puts there later. A kernel that does not know it (MADV_POPULATE_WRITE came with
// Linux 5.14) does without.
func advise(b []byte, page int, advice int) {
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) & (page - 1)
	if n := (len(b) - skip) &^ (page - 1); n > 0 {
		_ = unix.Madvise(b[skip:skip+n], advice)
	}
}

// Sized is a slice of n entries for one who needs another number of them each
// time: in the memory of s where that is enough and not much too large. Entries
// are undefined; like those of Make they should hold no pointers.
func Sized[T any](s []T, n int) []T {
	if cap(s) >= n && (cap(s) <= 1<<14 || cap(s)/8 <= n) {
		return s[:n]
	}
	return Make[T](n + n/8)[:n]
}

// ChunkLen is how many elements a chunk holds: so many that chunks are few, so
// few that a table of some connections is small.
const ChunkLen = 512

// Chunk is what tables that must not move their elements grow by.
type Chunk[T any] [ChunkLen]T

// At is element i, counted modulo ChunkLen. An index into the array would read the chunk's
// first byte, too, to see that c is not nil: of a million elements, another miss for each.
func (c *Chunk[T]) At(i uint32) *T {
	return (*T)(unsafe.Add(unsafe.Pointer(c), uintptr(i%ChunkLen)*unsafe.Sizeof(*new(T))))
}

// Chunks gives out zeroed chunks, cut from regions that grow with their number: for
// tables that keep all they ever had. A region is free only once none of its chunks
// is referred to.
type Chunks[T any] struct {
	rest  []T // of the last region
	given int // chunks
}

// Next is a chunk that nobody has had.
func (c *Chunks[T]) Next() *Chunk[T] {
	if len(c.rest) == 0 {
		most := max(1, largest/int(unsafe.Sizeof(Chunk[T]{})))
		c.rest = Make[T](max(1, min(c.given, most)) * ChunkLen)
	}
	chunk := (*Chunk[T])(c.rest)
	c.rest = c.rest[ChunkLen:]
	c.given++
	return chunk
}
