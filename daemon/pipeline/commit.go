package pipeline

import (
	"encoding/json"

	"pcapdir/source/books"
	"pcapdir/source/packet"
	"pcapdir/source/spool"
)

// commit is one commit in the making: what goes to the logs, and what becomes of
// files. Once it has a ledger it does not change.
type commit struct {
	seq   uint64
	cut   packet.Time
	logs  []addition // not in the stage yet; in a batch, which has none, all
	stage *stage     // nil in a batch
	moves []spool.Move
	done  []*file        // of the moves
	books books.Accounts // with those of done
	// state is what the ledger says of what is open, made of segments.
	state    json.RawMessage
	segments []segment

	ledger   *spool.Ledger // set when the places in the logs are fixed
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

// empty says that nothing happens to logs or files.
func (b *commit) empty() bool {
	return len(b.logs) == 0 && len(b.moves) == 0 && (b.stage == nil || b.stage.size == 0)
}
