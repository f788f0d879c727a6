//go:build invariants

package flowvec

import (
	"unsafe"

	"pcapdir/analysis/pages"
)

// poison overwrites a chunk that was given back with 0xCC, so that a use after
// that shows as nonsense instead of as old truth.
func poison[T any](chunk *pages.Chunk[T]) {
	b := unsafe.Slice((*byte)(unsafe.Pointer(chunk)), unsafe.Sizeof(*chunk))
	for i := range b {
		b[i] = 0xCC
	}
}
