package source

import (
	"cmp"
	"slices"

	"pcapdir/source/packet"
)

// Tally counts records and their captured bytes.
type Tally struct{ Packets, Bytes uint64 }

// Add counts what o counts.
func (t *Tally) Add(o Tally) {
	t.Packets += o.Packets
	t.Bytes += o.Bytes
}

func (t *Tally) add(n int) {
	t.Packets++
	t.Bytes += uint64(n)
}

// Books are what became of the records of one file. They balance: Read is
// Handled plus all of Dropped, in packets and in bytes.
type Books struct {
	Read    Tally
	Handled Tally // appended to a shard with headers that hold, or a fragment for the defragmenter
	Dropped [packet.NumDrops]Tally

	Tunneled uint64 // packets that came out of tunnels in records

	Late       uint64 // own stamp behind the watermark when the file was admitted
	Inversions uint64 // own stamp before that of an earlier record of the file
	Suspect    uint64 // own stamp not to be believed, and so not used: see package clock

	HasTimes    bool        // First and Last hold
	First, Last packet.Time // least and largest own stamp, suspect ones left out

	Format    string // pcap or pcapng; empty if the file is neither
	LinkTypes []uint16

	// Sent says that some packet took its place in event time, and End is the
	// key of the last: the file is covered by a commit at any key above.
	Sent bool
	End  packet.Order

	// Err is why reading ended before the end of the file, or nil.
	Err error
}

// Balanced says whether every record has exactly one fate.
func (b *Books) Balanced() bool {
	sum := b.Handled
	for _, d := range b.Dropped {
		sum.Add(d)
	}
	return sum == b.Read
}

// Add takes in the books of another run of the same file.
func (b *Books) Add(o *Books) {
	b.Read.Add(o.Read)
	b.Handled.Add(o.Handled)
	for i := range b.Dropped {
		b.Dropped[i].Add(o.Dropped[i])
	}
	b.Tunneled += o.Tunneled
	b.Late += o.Late
	b.Inversions += o.Inversions
	b.Suspect += o.Suspect
	if o.HasTimes {
		b.stamp(o.First)
		b.stamp(o.Last)
	}
	b.Format = cmp.Or(b.Format, o.Format)
	for _, t := range o.LinkTypes {
		if !slices.Contains(b.LinkTypes, t) {
			b.LinkTypes = append(b.LinkTypes, t)
		}
	}
	if o.Sent && (!b.Sent || b.End.Less(o.End)) {
		b.Sent, b.End = true, o.End
	}
	if b.Err == nil {
		b.Err = o.Err
	}
}

func (b *Books) stamp(t packet.Time) {
	if !b.HasTimes {
		b.HasTimes, b.First, b.Last = true, t, t
		return
	}
	b.First = min(b.First, t)
	b.Last = max(b.Last, t)
}
