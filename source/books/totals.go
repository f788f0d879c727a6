package books

import "fmt"

// Totals are the books of all files of a timeline that were put away: the sums
// over spool.log.
type Totals struct {
	Files      uint64
	Failed     uint64 // of Files, not read to their end
	Duplicates uint64 // of Files, not read since another one holds the same
	Fates
	Mismatches uint64 // times that something did not balance
}

// Add counts what o counts.
func (t *Totals) Add(o *Totals) {
	t.Files += o.Files
	t.Failed += o.Failed
	t.Duplicates += o.Duplicates
	t.Fates.Add(&o.Fates)
	t.Mismatches += o.Mismatches
}

// Accounts are the totals of the timelines: the live one, and all that caught up.
type Accounts struct{ Live, CatchUp Totals }

// Flow is what passed between the readers of a timeline and its shards, in packets.
type Flow struct {
	Handed  uint64 // left the readers, for shards and for the relay
	Relayed uint64 // of Handed, that the relay took
	Made    uint64 // sent to the shards by the relay
	Arrived uint64 // at the shards
}

// Check says whether all of it arrived. It may be asked when the input has ended.
func (f Flow) Check() error {
	if f.Handed-f.Relayed+f.Made != f.Arrived {
		return fmt.Errorf("%d packets left the readers, %d of them for the defragmenter, which made %d, but %d came to the shards",
			f.Handed, f.Relayed, f.Made, f.Arrived)
	}
	return nil
}
