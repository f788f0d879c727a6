package conn

import (
	"runtime"
	"syscall"
	"testing"
	"unsafe"
)

// mapped says whether the page at the start of b is there.
func mapped(b []byte) bool {
	var present [1]byte
	_, _, errno := syscall.Syscall(syscall.SYS_MINCORE, uintptr(unsafe.Pointer(unsafe.SliceData(b))),
		uintptr(syscall.Getpagesize()), uintptr(unsafe.Pointer(&present)))
	return errno == 0
}

func TestPagesGoWithTheirTracker(t *testing.T) {
	tr, _ := resident(2 * heapChunks * chunkLen)
	regions := append([][]byte{}, tr.table.pages.mapped...)
	if len(regions) == 0 || !mapped(regions[0]) {
		t.Fatalf("%d regions for %d flows", len(regions), tr.Len())
	}
	runtime.KeepAlive(tr)
	for range 10_000 {
		if runtime.GC(); !mapped(regions[0]) {
			return
		}
	}
	t.Error("still mapped")
}

func TestSmallTrackersMapNothing(t *testing.T) {
	tr, _ := resident(heapChunks * chunkLen / 2)
	if n := len(tr.table.pages.mapped); n != 0 {
		t.Errorf("%d regions for %d flows", n, tr.Len())
	}
}

func TestRegionsBeginAtHugePagesAndAreZero(t *testing.T) {
	var p pages
	defer p.free()
	for range 3 {
		b := p.region(hugePage)
		if at := uintptr(unsafe.Pointer(unsafe.SliceData(b))); at%hugePage != 0 || len(b) != hugePage {
			t.Errorf("%d bytes at %x", len(b), at)
		}
		for i := range b {
			if b[i] != 0 {
				t.Fatalf("byte %d is %d", i, b[i])
			}
			b[i] = 0xcc
		}
	}
}
