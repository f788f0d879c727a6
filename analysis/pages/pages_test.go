package pages

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

func TestChunksAreZeroAndApart(t *testing.T) {
	type element struct{ a, b uint64 }
	var chunks Chunks[element]
	var all []*Chunk[element]
	for n := range 100 {
		c := chunks.Next()
		for i := range c {
			if c[i] != (element{}) {
				t.Fatalf("chunk %d, element %d is %v", n, i, c[i])
			}
			c[i] = element{uint64(n), uint64(i)}
		}
		all = append(all, c)
	}
	for n, c := range all {
		for i := range c {
			if c[i] != (element{uint64(n), uint64(i)}) {
				t.Fatalf("chunk %d, element %d became %v", n, i, c[i])
			}
		}
	}
}

// At is what an index is, whatever the size of an element.
func TestAtIsTheElement(t *testing.T) {
	type element [3]uint16
	c := new(Chunk[element])
	for _, i := range []uint32{0, 1, ChunkLen - 1, ChunkLen, 7*ChunkLen + 3} {
		if c.At(i) != &c[i%ChunkLen] {
			t.Errorf("element %d is not where it belongs", i)
		}
	}
}

// The pages of a table that is spread are there before anything is written.
func TestSpreadTablesAreResident(t *testing.T) {
	if own := bytesOf(make([]uint64, 2*hugePage/8)); unix.Madvise(own[-int(uintptr(unsafe.Pointer(&own[0])))&(smallPage-1):][:smallPage], unix.MADV_POPULATE_WRITE) != nil {
		t.Skip("this kernel does not know MADV_POPULATE_WRITE")
	}
	for _, n := range []int{1, 1000, 1 << 20} {
		s := MakeSpread[uint64](n)
		if len(s) != n || s[0] != 0 || s[n-1] != 0 {
			t.Fatalf("%d entries, want %d that are zero", len(s), n)
		}
		b := bytesOf(s)
		first := -int(uintptr(unsafe.Pointer(&b[0]))) & (smallPage - 1)
		pages := max(0, len(b)-first) / smallPage
		if pages == 0 {
			continue
		}
		in := make([]byte, pages)
		if _, _, errno := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&b[first])), uintptr(pages*smallPage), uintptr(unsafe.Pointer(&in[0]))); errno != 0 {
			t.Fatal(errno)
		}
		if missing := bytes.Count(in, []byte{0}); missing > 0 {
			t.Errorf("%d of %d pages are not there", missing, pages)
		}
	}
}

// A region is as large as what was given out before it, up to a limit.
func TestRegionsGrowWithTheirNumber(t *testing.T) {
	type element [4096]byte
	var chunks Chunks[element] // of 2 MiB
	for _, want := range []int{0, 0, 1, 0, 3, 2, 1, 0, 7} {
		chunks.Next()
		if got := len(chunks.rest) / ChunkLen; got != want {
			t.Errorf("chunk %d leaves %d in its region, want %d", chunks.given, got, want)
		}
	}
	for range 100 {
		if chunks.Next(); cap(chunks.rest) > largest/len(element{}) {
			t.Fatalf("a region of %d bytes or more", cap(chunks.rest)*len(element{}))
		}
	}
}

func TestSizedKeepsMemoryThatFits(t *testing.T) {
	large := make([]byte, 1<<20)
	if s := Sized(large, 1<<19); &s[0] != &large[0] || len(s) != 1<<19 {
		t.Error("half of what is there is taken anew")
	}
	if s := Sized(large, 1<<16); &s[0] == &large[0] || len(s) != 1<<16 {
		t.Error("memory 16 times too large is kept")
	}
	if s := Sized(large, 1<<21); len(s) != 1<<21 || cap(s) < 1<<21+1<<18 {
		t.Errorf("%d of %d", len(s), cap(s))
	}
}

// Where the kernel grants huge pages, large tables have them.
func TestLargeTablesHaveHugePages(t *testing.T) {
	enabled, err := os.ReadFile("/sys/kernel/mm/transparent_hugepage/enabled")
	if err != nil || strings.Contains(string(enabled), "[never]") {
		t.Skipf("no huge pages here: %s%v", enabled, err)
	}
	s := Make[uint64](8 * hugePage / 8)
	at := uintptr(unsafe.Pointer(unsafe.SliceData(s)))
	if flags := flagsOf(t, at+hugePage); !strings.Contains(flags, " hg") {
		t.Errorf("flags %q, without hg", flags)
	}
	for i := range s {
		s[i] = 1
	}
}

// flagsOf are the VmFlags of the mapping that holds an address (proc(5)).
func flagsOf(t *testing.T, at uintptr) string {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Skip(err)
	}
	inside := false
	for line := range strings.Lines(string(maps)) {
		var from, to uintptr
		if n, _ := fmt.Sscanf(line, "%x-%x ", &from, &to); n == 2 {
			inside = from <= at && at < to
		}
		if flags, ok := strings.CutPrefix(line, "VmFlags:"); ok && inside {
			return flags
		}
	}
	t.Fatalf("no mapping holds %x", at)
	return ""
}
