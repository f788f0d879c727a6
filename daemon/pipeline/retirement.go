package pipeline

import (
	"errors"
	"time"

	"pcapdir/analysis/logs"
	"pcapdir/source/decode"
	"pcapdir/source/packet"
	"pcapdir/source/spool"
)

// retirement is what becomes of a file.
type retirement struct {
	move spool.Move
	line logs.Spool
}

// outcomeCatchUp is the outcome of a file that was read by itself, since it came
// too late for the others.
const outcomeCatchUp = "catchup"

// retire settles what becomes of f, and how spool.log tells it.
func (fs *files) retire(f *file) (retirement, error) {
	outcome, reason := f.outcome()
	move, err := fs.plan(spool.Retirement{
		File: f.File, Outcome: outcome, Reason: reason,
		Handled: f.handled(outcome),
	})
	if err != nil {
		return retirement{}, err
	}
	return retirement{move, f.line(move)}, nil
}

// outcome says how reading f ended, and why.
func (f *file) outcome() (spool.Outcome, string) {
	switch b := f.books; {
	case f.Verdict.Outcome != "":
		return f.Verdict.Outcome, f.Verdict.Reason
	case b.Err != nil:
		return spool.Failed, b.Err.Error()
	case b.Read.Packets == 0:
		return spool.Done, "a capture without packets"
	case b.Handled.Packets == 0 && b.Dropped[packet.DropLinkType].Packets > 0:
		return spool.Failed, "not decoded: link type " + decode.LinkTypeNumbers(f.books.LinkTypes)
	default:
		return spool.Done, ""
	}
}

// handled says whether all that f holds was read, so that a copy of it brings
// nothing new. Of a file that failed, only what was before damage can be.
func (f *file) handled(outcome spool.Outcome) bool {
	b := f.books
	return b.Read.Packets > 0 && !spool.ReadFault(b.Err) && !errors.Is(b.Err, errChanged) && (outcome == spool.Done || b.Handled.Packets > 0)
}

func (f *file) linkTypes() []string {
	var names []string
	for _, t := range f.books.LinkTypes {
		names = append(names, decode.LinkTypeName(t))
	}
	return names
}

// line is what spool.log says of f.
func (f *file) line(move spool.Move) logs.Spool {
	b := f.books
	l := logs.Spool{
		TS: wallSeconds(time.Now()), File: f.Path, Source: f.Source, ContentID: f.ContentID,
		Size: f.Size, Format: b.Format, Compression: f.Compression.String(), LinkTypes: f.linkTypes(),
		HasTimes: b.HasTimes, Packets: b.Read.Packets, Bytes: b.Read.Bytes,
		Handled: b.Handled.Packets, HandledBytes: b.Handled.Bytes,
		Late: b.Late, Inversions: b.Inversions, Lifted: b.Lifted, Suspect: b.Suspect, Tunneled: b.Tunneled,
		Outcome: string(move.Outcome), Reason: move.Reason,
	}
	if f.on.catchUp && move.Outcome == spool.Done {
		l.Outcome = outcomeCatchUp
	}
	if b.HasTimes {
		l.FirstTS, l.LastTS = b.First.Seconds(), b.Last.Seconds()
	}
	for d, t := range b.Dropped {
		if t.Packets > 0 {
			l.Dropped = append(l.Dropped, logs.Drop{Reason: packet.Drop(d).String(), Packets: t.Packets, Bytes: t.Bytes})
		}
	}
	return l
}
