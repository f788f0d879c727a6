package spool

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/cespare/xxhash/v2"

	"pcapdir/source/books"
	"pcapdir/source/packet"
)

const (
	// LedgerVersion is the version of the ledger that this code writes, and the
	// only one that it reads.
	LedgerVersion = 4
	// LedgerName is the ledger's file in the state directory.
	LedgerName = "ledger.json"
	// ledgerMax is the most bytes of a ledger that are believed: several moves
	// for each of a million files.
	ledgerMax = 1 << 30
)

// Ledger is what a commit promises: once it lies in the state directory under
// LedgerName, everything in it happens, now or after a crash.
type Ledger struct {
	Version int            // LedgerVersion
	Seq     uint64         // number of the commit, from 1
	Cut     packet.Time    // all packets below it are covered
	Turns   []Turn         `json:",omitempty"` // logs that get a new file, before all else
	Appends []Append       // what the stage adds to the logs
	Moves   []Move         // what becomes of the files that are wholly covered
	Books   books.Accounts // of all files up to this commit, since there is a ledger
	// State says where what was open at the cut lies, and how far open files were
	// read, in the words of whoever commits; empty: nothing was open.
	State json.RawMessage `json:",omitempty"`
}

// Turn is a log whose file gets another name, of the time at which it was begun. It is
// done once however often it is tried: to the file that it names.
type Turn struct {
	Log      string    // path of the log
	Dev, Ino uint64    // the file's inode
	Opened   time.Time // when it was begun
}

// Append is what is copied from the stage to the end of a log.
// It is the same however often it is done: it says where in the log it goes.
type Append struct {
	Log      string // path of the log
	Dev, Ino uint64 // the log's inode
	Length   int64  // bytes of the log before
	Header   string `json:",omitempty"` // that comes first
	Pieces   []Piece
}

// Piece is a part of the stage.
type Piece struct{ Offset, Bytes int64 }

// ErrLedger says that a ledger is there and cannot be used. Its text names the
// file and the way out.
var ErrLedger = errors.New("the ledger cannot be used")

// envelope is the ledger on disk. The checksum is xxhash64 of Ledger without
// insignificant space, so that indentation does not matter.
type envelope struct {
	Version  int
	Checksum string
	Ledger   json.RawMessage
}

// Save makes the ledger in the state directory dir this one, or leaves the old
// one. When it returns nil, the commit has happened, durably; after an error
// it may have, and the same ledger must be saved again before anything else.
func (l *Ledger) Save(fsys FS, dir string) error {
	b, err := l.encode()
	if err != nil {
		return err
	}
	to := filepath.Join(dir, LedgerName)
	if err := WriteDurable(fsys, to+".tmp", b); err != nil {
		return fmt.Errorf("write ledger: %w", err)
	}
	if err := fsys.Rename(to+".tmp", to); err != nil {
		return fmt.Errorf("commit ledger: %w", err)
	}
	if err := fsys.SyncDir(dir); err != nil {
		return fmt.Errorf("sync ledger: %w", err)
	}
	return nil
}

func (l *Ledger) encode() ([]byte, error) {
	body, err := json.Marshal(l)
	if err != nil {
		return nil, fmt.Errorf("encode ledger: %w", err)
	}
	b, err := json.MarshalIndent(envelope{l.Version, checksum(body), body}, "", " ")
	if err != nil {
		return nil, fmt.Errorf("encode ledger: %w", err)
	}
	return append(b, '\n'), nil
}

// checksum is that of compact JSON.
func checksum(compact []byte) string { return fmt.Sprintf("%016x", xxhash.Sum64(compact)) }

// LoadLedger reads the ledger of the state directory dir. Without one it
// returns nil and no error. Errors are ErrLedger where the file is damaged or
// of another version, else those of reading it.
func LoadLedger(fsys FS, dir string) (*Ledger, error) {
	path := filepath.Join(dir, LedgerName)
	b, err := readWhole(fsys, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read ledger: %w", err)
	}
	l, err := decode(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrLedger, path, err)
	}
	return l, nil
}

func readWhole(fsys FS, path string) ([]byte, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // opened for reading
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	b := make([]byte, min(st.Size, ledgerMax))
	n, err := f.ReadAt(b, 0)
	if n == len(b) {
		err = nil // io.EOF may come with the last byte
	}
	return b[:n], err
}

const wayOut = "restore it from a backup, or move it away to start afresh, as pcapdird run --reset-state does: " +
	"files still in the spool are then read again and what they had logged may be logged twice"

func decode(b []byte) (*Ledger, error) {
	var e envelope
	if err := json.Unmarshal(b, &e); err != nil {
		return nil, fmt.Errorf("damaged (%w); %s", err, wayOut)
	}
	if e.Version != LedgerVersion {
		return nil, fmt.Errorf("written as version %d, this program reads version %d; "+
			"run the version that wrote it, or %s", e.Version, LedgerVersion, wayOut)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, e.Ledger); err != nil {
		return nil, fmt.Errorf("damaged (%w); %s", err, wayOut)
	}
	if checksum(compact.Bytes()) != e.Checksum {
		return nil, fmt.Errorf("damaged (the checksum does not match); %s", wayOut)
	}
	l := new(Ledger)
	if err := json.Unmarshal(compact.Bytes(), l); err != nil {
		return nil, fmt.Errorf("damaged (%w); %s", err, wayOut)
	}
	return l, nil
}
