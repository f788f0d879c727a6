//go:build !invariants

package flowvec

import "pcapdir/analysis/pages"

func poison[T any](*pages.Chunk[T]) {}
