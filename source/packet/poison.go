//go:build invariants

package packet

import "unsafe"

// Poison overwrites packets that were handed back with 0xCC, so that a use after
// the hand-back shows as nonsense instead of as old truth.
func Poison(ps []Packet) {
	if len(ps) == 0 {
		return
	}
	b := unsafe.Slice((*byte)(unsafe.Pointer(&ps[0])), len(ps)*int(unsafe.Sizeof(ps[0])))
	for i := range b {
		b[i] = 0xCC
	}
}
