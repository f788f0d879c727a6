package pipeline

import (
	"pcapdir/source/books"
	"pcapdir/source/packet"
	"pcapdir/source/spool"
)

// commit is one commit in the making: what goes to the logs, and what becomes of
// files. Once built it does not change.
type commit struct {
	seq    uint64
	cut    packet.Time
	logs   []addition
	moves  []spool.Move
	done   []*file
	books  books.Accounts // with those of done
	waited int            // bytes of it that counted as backlog

	ledger   *spool.Ledger // set when the places in the logs are fixed
	staged   bool          // the stage is written
	promised bool          // the ledger is in place: the commit has happened
	logged   bool          // the lines are in the logs, durably
}

// addition is what a log gets.
type addition struct {
	log  string
	text []byte
}

// add adds lines to a log; none, nothing.
func (b *commit) add(log string, text []byte) {
	if len(text) > 0 {
		b.logs = append(b.logs, addition{log, text})
	}
}

func (b *commit) empty() bool { return len(b.logs) == 0 && len(b.moves) == 0 }
