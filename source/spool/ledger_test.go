package spool_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"pcapdir/source/books"
	"pcapdir/source/packet"
	"pcapdir/source/spool"
	"pcapdir/source/spool/spooltest"
)

func sampleLedger(seq uint64) *spool.Ledger {
	dropped := books.Drops{packet.DropNotIP: {Packets: 2, Bytes: 100}, packet.DropTransport: {Packets: 1, Bytes: 1<<64 - 1}}
	return &spool.Ledger{
		Books: books.Accounts{
			Live:    books.Totals{Files: 3, Fates: books.Fates{Read: books.Tally{Packets: 9, Bytes: 900}, Dropped: dropped}},
			CatchUp: books.Totals{Files: 1, Failed: 1, Mismatches: 7},
		},
		Version: spool.LedgerVersion, Seq: seq, Cut: 1300475167096535000,
		State:   json.RawMessage(`{"Key":1}`),
		Appends: []spool.Append{{Log: "/var/log/conn.log", Dev: 1<<64 - 1, Ino: 1<<63 + 1, Length: 10, Header: "#x\n", Pieces: []spool.Piece{{Offset: 20, Bytes: 30}, {Offset: 70, Bytes: 1}}}},
		Moves: []spool.Move{
			{From: "/in/a", To: "/done/a", Outcome: spool.Done, Identity: spool.Identity{Dev: 1, Ino: 1<<64 - 1, Size: 3, Mtime: -4, Ctime: 5}, ContentID: 1<<64 - 1},
			{From: "/in/\xff\xfe%41 <&>\n\"\u2028é", To: "/failed/%", Outcome: spool.Failed, Reason: "why\n<not>"},
			{From: "/in/gone", Remove: true, Outcome: spool.Done},
		},
	}
}

func TestLedgerRoundTrip(t *testing.T) {
	dir := t.TempDir()
	if l, err := spool.LoadLedger(spool.OS{}, dir); l != nil || err != nil {
		t.Fatalf("without a ledger: %v, %v", l, err)
	}
	for seq := range uint64(3) {
		want := sampleLedger(seq)
		want.Moves = want.Moves[seq:] // shorter each time: nothing of the old one may stay
		must(t, want.Save(spool.OS{}, dir))
		got, err := spool.LoadLedger(spool.OS{}, dir)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v\ngot  %+v\nwant %+v", err, got, want)
		}
	}
}

// Whatever happens to one byte, or to the end of the file, the ledger is
// refused or says the same.
func TestLedgerDamage(t *testing.T) {
	dir := t.TempDir()
	want := sampleLedger(1)
	must(t, want.Save(spool.OS{}, dir))
	path := filepath.Join(dir, spool.LedgerName)
	good, err := os.ReadFile(path)
	must(t, err)
	try := func(what string, at int, b []byte) {
		must(t, os.WriteFile(path, b, 0o600))
		got, err := spool.LoadLedger(spool.OS{}, dir)
		switch {
		case err == nil && !reflect.DeepEqual(got, want):
			t.Errorf("%s at %d goes unnoticed: %+v", what, at, got)
		case err != nil && (!errors.Is(err, spool.ErrLedger) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "move it away")):
			t.Errorf("%s at %d: %v", what, at, err)
		}
	}
	for at := range good {
		try("cut", at, good[:at])
		bad := bytes.Clone(good)
		bad[at] ^= 0x15
		try("byte", at, bad)
	}
	try("newer version", 0, bytes.Replace(good, fmt.Appendf(nil, `"Version": %d`, spool.LedgerVersion), fmt.Appendf(nil, `"Version": %d`, spool.LedgerVersion+1), 1))
	_, err = spool.LoadLedger(spool.OS{}, dir)
	if err == nil || !strings.Contains(err.Error(), "version 4") {
		t.Errorf("a newer version: %v", err)
	}
	must(t, os.WriteFile(path, bytes.ReplaceAll(good, []byte("  "), []byte("\t")), 0o600))
	if _, err := spool.LoadLedger(spool.OS{}, dir); err != nil {
		t.Errorf("indented otherwise: %v", err)
	}
}

// Saving fails at every operation in turn: the ledger on disk is the old one
// or the new one, and saving again works.
func TestLedgerSaveIsAllOrNothing(t *testing.T) {
	for nth := 1; ; nth++ {
		dir := t.TempDir()
		was, is := sampleLedger(1), sampleLedger(2)
		must(t, was.Save(spool.OS{}, dir))
		faults, n, hit := &spooltest.Faults{}, 0, spooltest.Op("")
		faults.Fail(func(op spooltest.Op, _ string) error {
			if n++; n == nth {
				hit = op
				return syscall.ENOSPC
			}
			return nil
		})
		err := is.Save(faults, dir)
		if hit == "" {
			must(t, err)
			return
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%s fails: %v", hit, err)
		}
		got, err := spool.LoadLedger(spool.OS{}, dir)
		must(t, err)
		if want := map[bool]*spool.Ledger{true: is, false: was}[hit == spooltest.SyncDir]; !reflect.DeepEqual(got, want) {
			t.Errorf("%s fails: the ledger is %d", hit, got.Seq)
		}
		faults.Fail(nil)
		must(t, is.Save(faults, dir))
		if got, err := spool.LoadLedger(faults, dir); err != nil || got.Seq != 2 || faults.NowOpen() != 0 {
			t.Errorf("after %s failed: %v, %v, %d open", hit, got, err, faults.NowOpen())
		}
	}
}
