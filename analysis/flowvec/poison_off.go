//go:build !invariants

package flowvec

func poison[T any](*[slabLen]T) {}
