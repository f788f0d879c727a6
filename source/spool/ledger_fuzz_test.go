package spool

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"
)

// Whatever is read as a ledger is read again from what it is written as. The
// fuzzer does not find checksums, so the body is put into a right envelope too.
func FuzzLedger(f *testing.F) {
	l := Ledger{Version: LedgerVersion, Seq: 7, Moves: []Move{{From: "/in/\xff%", Outcome: Failed, Reason: "why"}}}
	good, err := l.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"Version":1,"Moves":[{"From":"%4","To":"%zz"}]}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, b := range [][]byte{b, fmt.Appendf(nil, `{"Version":1,"Checksum":%q,"Ledger":%s}`, checksum(b), b)} {
			l, err := decode(b)
			if err != nil {
				continue
			}
			l.Version = LedgerVersion
			once, err := l.encode()
			if err != nil {
				t.Fatal(err)
			}
			again, err := decode(once)
			if err != nil || !reflect.DeepEqual(again, l) {
				t.Fatalf("%v: %+v then %+v", err, l, again)
			}
			if twice, err := again.encode(); err != nil || !bytes.Equal(once, twice) {
				t.Errorf("%v: %s then %s", err, once, twice)
			}
		}
	})
}
