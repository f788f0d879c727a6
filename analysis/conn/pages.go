package conn

import (
	"syscall"
	"unsafe"
)

const (
	hugePage  = 2 << 20 // of amd64, and of arm64 with small pages of 4 KiB
	regionLen = 16 * hugePage
)

// pages is memory that flows and their table grow into when there are many:
// outside the Go heap, in huge pages where the kernel grants them (madvise,
// transparent_hugepage/enabled). Flows are found at random, and with a million of
// them each look at small pages waits for the page tables, too. Nobody may hold
// a pointer to it for longer than its Tracker.
type pages struct {
	mapped [][]byte // as syscall.Munmap wants them back
	rest   []byte   // of the last region that chunks are cut from
}

// region is n zeroed bytes at the beginning of a huge page.
func (p *pages) region(n int) []byte {
	m, err := syscall.Mmap(-1, 0, n+hugePage, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return make([]byte, n) // then the heap may have it, or say that there is no more
	}
	p.mapped = append(p.mapped, m)
	start := -int(uintptr(unsafe.Pointer(unsafe.SliceData(m)))) & (hugePage - 1)
	m = m[start : start+n]
	_ = syscall.Madvise(m, syscall.MADV_HUGEPAGE) // small pages do, too
	return m
}

// take cuts n zeroed bytes, a multiple of a cache line, from a region.
func (p *pages) take(n int) unsafe.Pointer {
	if len(p.rest) < n {
		p.rest = p.region(regionLen)
	}
	b := p.rest
	p.rest = b[n:]
	return unsafe.Pointer(unsafe.SliceData(b))
}

// free unmaps everything.
func (p *pages) free() {
	for _, m := range p.mapped {
		_ = syscall.Munmap(m) // it is there: Mmap gave it
	}
	p.mapped, p.rest = nil, nil
}
