package spool

import (
	"errors"

	"pcapdir/source/decompress"
	"pcapdir/source/packet"
)

// ErrVanished says that a file was ready to be read and then gone, before it
// was opened. Nothing is left to put away.
var ErrVanished = errors.New("vanished before it was read")

// File is one file as its header and first records describe it. It is never
// changed after it was handed out.
type File struct {
	Path   string // where it lies
	Name   string // its name in its directory; any bytes but / and NUL
	Source string // its directory relative to the spool directory; "" is that itself

	Identity           // when it was indexed
	ContentID   uint64 // xxhash64 of size, first and last 64 KiB as on disk; not of the name
	Compression decompress.Format
	Format      string      // "pcap", "pcapng" or "snoop"; "" where Err says why not
	First       packet.Time // lowest stamp of the first records that can be believed; holds if HasRecords
	Least       packet.Time // lowest stamp of the first records, whatever it is; likewise
	Latest      packet.Time // what is stamped later cannot be right: by the wall clock when it was indexed
	HasRecords  bool        // false without Err: a header and nothing else
	Err         error       // why nothing of it can be read, or nil
	Stream      bool        // it comes through a pipe, which says nothing before it is read, and cannot be read twice

	// List is not 0 for a file that a manifest names, and tells which: it is read
	// where it lies and stays there, whatever becomes of it.
	List uint64
	// Verdict is what becomes of a file of which nothing is to be read, for it is
	// a copy or a manifest; without an outcome, reading decides.
	Verdict Verdict
}

// Buffer is the size of one read of an indexed file where most is what a large one
// gets: small files are many, and a plain one needs no more than it has bytes.
func (f *File) Buffer(most int) int {
	if f.Compression == decompress.Plain {
		return int(min(int64(most), f.Size+1))
	}
	return most
}

// Verdict is an outcome, and the reason for people.
type Verdict struct {
	Outcome Outcome
	Reason  string
}
