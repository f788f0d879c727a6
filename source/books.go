package source

import "pcapdir/source/packet"

// Tally counts records and their captured bytes.
type Tally struct{ Packets, Bytes uint64 }

func (t *Tally) add(n int) {
	t.Packets++
	t.Bytes += uint64(n)
}

// Books are what became of the records of one file. They balance: Read is
// Handled plus all of Dropped, in packets and in bytes.
type Books struct {
	Read    Tally
	Handled Tally // appended to a shard with headers that hold
	Dropped [packet.NumDrops]Tally

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
		sum.Packets += d.Packets
		sum.Bytes += d.Bytes
	}
	return sum == b.Read
}

func (b *Books) stamp(t packet.Time) {
	if !b.HasTimes {
		b.HasTimes, b.First, b.Last = true, t, t
		return
	}
	b.First = min(b.First, t)
	b.Last = max(b.Last, t)
}
