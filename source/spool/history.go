package spool

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"
)

const (
	// historyName is the history's file in the state directory.
	historyName = "history.jsonl"
	// historyMax is how many records are remembered, historyAge for how long.
	historyMax = 1_000_000
	historyAge = 30 * 24 * time.Hour
	// recordMax is the most bytes of a record: a path whose bytes are all
	// escaped, and a reason.
	recordMax = 64 << 10
)

// record is a file whose commit has happened.
type record struct {
	Path      rawName  // where it lies since; "": it is no longer at Place
	Identity  Identity // of it, before it was put there
	ContentID uint64   // 0: it is no original, for nothing was read from it
	// Place tells a file that stays where it is from all others, so that it does
	// not look new after a restart; 0 if it was put away.
	Place  uint64
	Failed bool   // it could not be read to its end
	Reason string // why it failed, or that it is a copy still to be put away
	At     int64  // wall clock, seconds since the Unix epoch
}

// place is the key of a file that stays where it is. list is the place of the
// manifest that names it, or 0. What a manifest names is read once for it,
// whatever becomes of the file: one that grows would be read again and again.
func place(path string, list uint64, id Identity) uint64 {
	if list != 0 {
		id = Identity{}
	}
	b := make([]byte, 0, len(path)+40)
	for _, n := range []uint64{list, id.Dev, id.Ino, uint64(id.Size), uint64(id.Mtime)} {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	return max(1, xxhash.Sum64(append(b, path...)))
}

// history remembers what was read, over restarts: a JSON object a line, only
// ever appended to, in the state directory. Memory holds where in the file a
// record is; the file is read when one is asked for, which is rare.
//
// A record is written when its commit has happened and its file lies where it
// will stay, and before the next commit: after a crash between the two, the
// ledger's moves are done again, and their records written again.
type history struct {
	fs   FS
	path string // "": nothing is remembered
	now  func() time.Time
	max  int

	mu        sync.Mutex
	loaded    bool
	end       int64            // where the next record goes
	records   int              // in the file
	originals map[uint64]int64 // offset of the last record by content id
	places    map[uint64]int64 // the same by place
}

func newHistory(fsys FS, dir string, now func() time.Time) *history {
	h := &history{fs: fsys, now: now, max: historyMax}
	if dir != "" {
		h.path = filepath.Join(dir, historyName)
	}
	return h
}

// open reads what is remembered.
func (h *history) open() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.load()
}

// original finds the file of this content that was read last; nil: there is none.
func (h *history) original(id uint64) (*record, error) {
	return h.find(func() (int64, bool) { at, ok := h.originals[id]; return at, ok })
}

// stays finds the record of a file that stays where it is; nil: there is none.
func (h *history) stays(key uint64) (*record, error) {
	return h.find(func() (int64, bool) { at, ok := h.places[key]; return at, ok })
}

// has says whether stays would find something.
func (h *history) has(key uint64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, ok := h.places[key]
	return ok
}

func (h *history) find(where func() (int64, bool)) (*record, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.load(); err != nil {
		return nil, err
	}
	at, ok := where()
	if !ok {
		return nil, nil
	}
	r, err := h.read(at)
	if err != nil {
		// Not wrapped: that the history is gone says nothing of the file asked for.
		return nil, fmt.Errorf("what was read cannot be looked up: %v", err)
	}
	return r, nil
}

// read reads the record at an offset.
func (h *history) read(at int64) (*record, error) {
	f, err := h.fs.Open(h.path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // opened for reading
	line, err := bufio.NewReader(io.NewSectionReader(f, at, recordMax)).ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("%s at %d: %w", h.path, at, err)
	}
	r := new(record)
	if err := json.Unmarshal(line, r); err != nil {
		return nil, fmt.Errorf("%s at %d: %w", h.path, at, err)
	}
	return r, nil
}

// add appends records, durably.
func (h *history) add(records []record) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.path == "" || len(records) == 0 {
		return nil
	}
	if err := h.load(); err != nil {
		return err
	}
	if h.records+len(records) > h.max+h.max/4 {
		if err := h.shorten(); err != nil {
			return err
		}
	}
	var text []byte
	ends := make([]int64, len(records))
	for i := range records {
		records[i].At = h.now().Unix()
		line, err := json.Marshal(&records[i])
		if err != nil {
			return fmt.Errorf("history: %w", err)
		}
		text = append(append(text, line...), '\n')
		ends[i] = h.end + int64(len(text))
	}
	if err := h.write(text); err != nil {
		return fmt.Errorf("history: %w", err)
	}
	for i := range records {
		h.note(&records[i], h.end)
		h.end = ends[i]
	}
	return nil
}

// write puts text at the end. What a failed try left there is written over.
func (h *history) write(text []byte) error {
	f, err := h.fs.OpenWrite(h.path, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(text, h.end)
	if err == nil {
		err = f.Truncate(h.end + int64(len(text)))
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil || h.end > 0 {
		return err
	}
	return h.fs.SyncDir(filepath.Dir(h.path))
}

// note remembers where a record is.
func (h *history) note(r *record, at int64) {
	h.records++
	if r.ContentID != 0 {
		h.originals[r.ContentID] = at
	}
	switch {
	case r.Place == 0:
	case r.Path == "":
		delete(h.places, r.Place)
	default:
		h.places[r.Place] = at
	}
}

// load reads the file once, and shortens it where it has become too long or old.
// Lines that are damaged are skipped: what they told is read again. The caller
// holds mu.
func (h *history) load() error {
	if h.loaded {
		return nil
	}
	if h.path == "" {
		h.loaded = true
		return nil
	}
	old, err := h.scan(func([]byte, *record) error { return nil })
	if err == nil && (old > 0 || h.records > h.max) {
		err = h.shorten()
	}
	if err != nil {
		h.loaded = false
		return fmt.Errorf("history: %w", err)
	}
	return nil
}

// scan reads the file from the start, notes its records and passes each to
// keep. old is how many are beyond their age.
func (h *history) scan(keep func(line []byte, r *record) error) (old int, err error) {
	h.loaded, h.end, h.records = false, 0, 0
	h.originals, h.places = map[uint64]int64{}, map[uint64]int64{}
	f, err := h.fs.Open(h.path)
	if errors.Is(err, fs.ErrNotExist) {
		h.loaded = true
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }() // opened for reading
	in := bufio.NewReaderSize(io.NewSectionReader(f, 0, 1<<62), recordMax)
	for {
		line, err := in.ReadSlice('\n')
		if err == io.EOF {
			h.loaded = true
			return old, nil // what a crash left of a last line is written over
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return old, err
		}
		var r record
		if json.Unmarshal(line, &r) == nil && bytes.HasSuffix(line, []byte("\n")) {
			h.note(&r, h.end)
			if h.expired(&r) {
				old++
			}
			if err := keep(line, &r); err != nil {
				return old, err
			}
		}
		h.end += int64(len(line))
	}
}

// expired says whether a record is too old. A file that stays where it is would
// look new if it were forgotten.
func (h *history) expired(r *record) bool {
	return r.Place == 0 && h.now().Sub(time.Unix(r.At, 0)) > historyAge
}

// shorten writes the file anew with the records that are young enough, the last
// max of them. The caller holds mu.
func (h *history) shorten() error {
	skip := h.records - h.max
	to := h.path + ".tmp"
	f, err := h.fs.OpenWrite(to, 0o600)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(io.NewOffsetWriter(f, 0), 1<<20)
	err = f.Truncate(0)
	if err == nil {
		_, err = h.scan(func(line []byte, r *record) error {
			if skip--; skip >= 0 || h.expired(r) {
				return nil
			}
			_, err := buffered.Write(line)
			return err
		})
	}
	if err == nil {
		err = buffered.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := h.fs.Rename(to, h.path); err != nil {
		return err
	}
	if err := h.fs.SyncDir(filepath.Dir(h.path)); err != nil {
		return err
	}
	_, err = h.scan(func([]byte, *record) error { return nil })
	return err
}
