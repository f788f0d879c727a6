package packet

import "cmp"

// Order is the full key that puts every packet of every file into one total
// order: effective time, then rank, then file, then record.
//
// Rank is a hash of the content of the first record of the file's current run
// of equal Eff. It breaks ties between files by what they hold, so that the
// order does not depend on names, arrival or how a capture was cut: a run of
// equal Eff is never cut, hence its first record is the same in every cutting.
// File and Rec only decide between identical content.
type Order struct {
	Eff  Time
	Rank uint64
	File uint64 // content id of the file
	Rec  uint64 // number of the record in its file and, below it, Packet.Sub
}

// MaxOrder is after every packet.
var MaxOrder = Order{Eff: MaxTime, Rank: ^uint64(0), File: ^uint64(0), Rec: ^uint64(0)}

// At is the least Order with the effective time t: before every packet at t,
// after every packet before t.
func At(t Time) Order { return Order{Eff: t} }

// Less says whether o comes before q.
func (o Order) Less(q Order) bool {
	if o.Eff != q.Eff {
		return o.Eff < q.Eff
	}
	if o.Rank != q.Rank {
		return o.Rank < q.Rank
	}
	if o.File != q.File {
		return o.File < q.File
	}
	return o.Rec < q.Rec
}

// Compare is -1, 0 or 1, for package slices.
func (o Order) Compare(q Order) int {
	return cmp.Or(cmp.Compare(o.Eff, q.Eff), cmp.Compare(o.Rank, q.Rank),
		cmp.Compare(o.File, q.File), cmp.Compare(o.Rec, q.Rec))
}

// Next is the least Order of the same file after o.
func (o Order) Next() Order {
	o.Rec++
	return o
}

// NextRecord is the least Order after all packets of o's record.
func (o Order) NextRecord() Order {
	o.Rec = (o.Rec>>SubBits + 1) << SubBits
	return o
}

// Min is the earlier of o and q.
func (o Order) Min(q Order) Order {
	if q.Less(o) {
		return q
	}
	return o
}

// Max is the later of o and q.
func (o Order) Max(q Order) Order {
	if o.Less(q) {
		return q
	}
	return o
}
