package books

import (
	"encoding/json"
	"fmt"

	"pcapdir/source/packet"
)

// Tally counts records and their captured bytes.
type Tally struct{ Packets, Bytes uint64 }

// Add counts what o counts.
func (t *Tally) Add(o Tally) {
	t.Packets += o.Packets
	t.Bytes += o.Bytes
}

// Count counts one record of n captured bytes.
func (t *Tally) Count(n int) {
	t.Packets++
	t.Bytes += uint64(n)
}

// Drops are the records that were dropped, by reason. In JSON they have the
// reasons' names, so that what is written today can be read when there are more.
type Drops [packet.NumDrops]Tally

// MarshalJSON leaves out reasons without records.
func (d Drops) MarshalJSON() ([]byte, error) {
	byName := map[string]Tally{}
	for i, t := range d {
		if t != (Tally{}) {
			byName[packet.Drop(i).String()] = t
		}
	}
	return json.Marshal(byName)
}

// UnmarshalJSON fails at a reason that is not known: its records would be missing
// from the sum.
func (d *Drops) UnmarshalJSON(b []byte) error {
	var byName map[string]Tally
	if err := json.Unmarshal(b, &byName); err != nil {
		return err
	}
	*d = Drops{}
	for i := range d {
		name := packet.Drop(i).String()
		d[i] = byName[name]
		delete(byName, name)
	}
	for name := range byName {
		return fmt.Errorf("drop reason %q is not known", name)
	}
	return nil
}

// Fates are what became of records. They balance: Read is Handled plus all of
// Dropped, in packets and in bytes.
type Fates struct {
	Read    Tally
	Handled Tally // appended to a shard with headers that hold, or a fragment for the defragmenter
	Dropped Drops

	Tunneled uint64 // packets that came out of tunnels in records

	Late       uint64 // own stamp behind the watermark when the file was admitted
	Inversions uint64 // own stamp before that of an earlier record of the file
	Lifted     uint64 // disorder within the window that could not be repaired, since too much lay in it
	Suspect    uint64 // own stamp not to be believed, and so not used: see package clock
}

// Lost is the sum of Dropped.
func (f *Fates) Lost() (sum Tally) {
	for _, d := range f.Dropped {
		sum.Add(d)
	}
	return sum
}

// Leaving is how many packets leave the reader: all that is handled, or told of in
// weird.log.
func (f *Fates) Leaving() uint64 {
	n := f.Handled.Packets + f.Tunneled
	for d, t := range f.Dropped {
		if packet.Drop(d).Weird() {
			n += t.Packets
		}
	}
	return n
}

// Add counts what o counts.
func (f *Fates) Add(o *Fates) {
	f.Read.Add(o.Read)
	f.Handled.Add(o.Handled)
	for i := range f.Dropped {
		f.Dropped[i].Add(o.Dropped[i])
	}
	f.Tunneled += o.Tunneled
	f.Late += o.Late
	f.Inversions += o.Inversions
	f.Lifted += o.Lifted
	f.Suspect += o.Suspect
}

// Check says whether every record has exactly one fate.
func (f *Fates) Check() error {
	sum := f.Handled
	sum.Add(f.Lost())
	if sum != f.Read {
		return fmt.Errorf("%d packets of %d bytes were read, but %d of %d bytes handled or dropped",
			f.Read.Packets, f.Read.Bytes, sum.Packets, sum.Bytes)
	}
	return nil
}
