package books

import (
	"cmp"
	"fmt"
	"slices"

	"pcapdir/source/packet"
)

// File is what became of the records of one file.
type File struct {
	Fates
	Handed  uint64 // packets that left the reader: see Check
	Skipped uint64 // packets that left it in a process before this one

	HasTimes    bool        // First and Last hold
	First, Last packet.Time // least and largest own stamp, suspect ones left out

	Format    string // pcap, pcapng or snoop; empty if the file is neither
	LinkTypes []uint16

	// Sent says that some packet took its place in event time, and End is the
	// key of the last: the file is covered by a commit at any key above.
	Sent bool
	End  packet.Order

	// Err is why reading ended before the end of the file, or nil.
	Err error
}

// Check says whether every record has exactly one fate, and left the reader if it
// is handled, or is told of in weird.log.
func (b *File) Check() error {
	if err := b.Fates.Check(); err != nil {
		return err
	}
	if want := b.Leaving(); b.Handed+b.Skipped != want {
		return fmt.Errorf("%d packets were to leave the reader, but %d did, and %d before", want, b.Handed, b.Skipped)
	}
	return nil
}

// Add takes in the books of another run of the same file.
func (b *File) Add(o *File) {
	b.Fates.Add(&o.Fates)
	b.Handed += o.Handed
	b.Skipped += o.Skipped
	if o.HasTimes {
		b.Stamp(o.First)
		b.Stamp(o.Last)
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

// Stamp takes note of the own stamp of a record.
func (b *File) Stamp(t packet.Time) {
	if !b.HasTimes {
		b.HasTimes, b.First, b.Last = true, t, t
		return
	}
	b.First = min(b.First, t)
	b.Last = max(b.Last, t)
}
