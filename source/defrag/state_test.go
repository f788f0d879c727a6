package defrag_test

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"pcapdir/source/decode"
	"pcapdir/source/decode/decodetest"
	"pcapdir/source/defrag"
	"pcapdir/source/packet"
	"pcapdir/source/snap/snaptest"
)

func saved(t testing.TB, table *defrag.Table) []byte { return snaptest.Written(t, table.Save) }

func load(table *defrag.Table, text []byte) error {
	r := snaptest.Reader(text)
	if err := table.Load(r); err != nil {
		return err
	}
	return r.End()
}

// loaded is another table with the state of table.
func loaded(t *testing.T, table *defrag.Table, cfg defrag.Config) *defrag.Table {
	t.Helper()
	other := defrag.New(cfg)
	if err := load(other, saved(t, table)); err != nil {
		t.Fatal(err)
	}
	return other
}

// pieces are fragments in disorder, of both families, some of which overlap.
func pieces(r *rand.Rand, n int) (all [][]byte) {
	for len(all) < n {
		ip := [2]decodetest.IP{four, six}[r.IntN(2)]
		of := decodetest.Fragments(ip.UDP(1, 2, text(r.IntN(400))), uint32(r.IntN(10)), 8+8*r.IntN(20))
		r.Shuffle(len(of), func(i, j int) { of[i], of[j] = of[j], of[i] })
		all = append(all, of[r.IntN(len(of)):]...)
	}
	return all
}

// A table that was saved and loaded does all that the other one does: the same
// datagrams, oddities, timeouts and evictions.
func TestLoadedTableIsTheSame(t *testing.T) {
	rebuilt := uint64(0)
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 5))
		cfg := defrag.Config{Timeout: time.Second, Datagrams: 1 + r.IntN(8), Bytes: 500 + r.IntN(5000)}
		table := defrag.New(cfg)
		var other *defrag.Table
		var before defrag.Counts
		all, now := pieces(r, 200), packet.Time(0)
		for i, ip := range all {
			if i == len(all)/2 {
				other, before = loaded(t, table, cfg), table.Counts()
			}
			now = now.Add(time.Duration(r.IntN(100)) * time.Millisecond)
			f, _ := decode.Fragment(ip)
			whole, odd := table.Add(&f, now)
			if other == nil {
				continue
			}
			again, alsoOdd := other.Add(&f, now)
			if !bytes.Equal(whole, again) || odd != alsoOdd || table.Len() != other.Len() {
				t.Fatalf("seed %d, fragment %d: %x and %v, want %x and %v; %d datagrams, want %d",
					seed, i, again, alsoOdd, whole, odd, other.Len(), table.Len())
			}
		}
		a, b := table.Counts(), other.Counts()
		b.Fragments, b.Rebuilt, b.Expired, b.Evicted = b.Fragments+before.Fragments, b.Rebuilt+before.Rebuilt, b.Expired+before.Expired, b.Evicted+before.Evicted
		if a != b {
			t.Fatalf("seed %d: %+v, want %+v", seed, b, a)
		}
		rebuilt += other.Counts().Rebuilt
	}
	if rebuilt < 1000 {
		t.Errorf("only %d datagrams became whole: little is tested", rebuilt)
	}
}

// Where there is less room than there was, the oldest go.
func TestLoadIntoLessRoom(t *testing.T) {
	cfg := defrag.DefaultConfig()
	table := defrag.New(cfg)
	for id := range uint32(100) {
		f, _ := decode.Fragment(decodetest.Fragment(four.Proto(17, nil), id, 0, true, text(1000)))
		table.Add(&f, 0)
	}
	for name, cfg := range map[string]defrag.Config{
		"datagrams": {Timeout: time.Minute, Datagrams: 10, Bytes: 1 << 30},
		"bytes":     {Timeout: time.Minute, Datagrams: 1000, Bytes: 20_000},
	} {
		other := loaded(t, table, cfg)
		if n := other.Len(); n < 10 || n > 20 || other.Counts() != (defrag.Counts{Evicted: 100 - uint64(n)}) {
			t.Errorf("%s: %d are left, %+v", name, n, other.Counts())
		}
		f, _ := decode.Fragment(decodetest.Fragment(four.Proto(17, nil), 99, 1000, false, text(8)))
		if whole, _ := other.Add(&f, 0); whole == nil {
			t.Errorf("%s: the newest is gone", name)
		}
	}
}

// Whatever was damaged of a state: it is refused, or it is a table that holds what
// a table can hold.
func FuzzLoad(f *testing.F) {
	table := defrag.New(defrag.DefaultConfig())
	r := rand.New(rand.NewPCG(1, 5))
	all := pieces(r, 60)
	for _, ip := range all {
		fr, _ := decode.Fragment(ip)
		table.Add(&fr, 0)
	}
	whole := saved(f, table)
	f.Add(whole, uint16(0), byte(0))
	for range 500 {
		f.Add(whole, uint16(r.IntN(len(whole))), byte(1+r.IntN(255)))
	}
	f.Fuzz(func(t *testing.T, text []byte, at uint16, change byte) {
		text = bytes.Clone(text)
		if int(at) < len(text) {
			text[at] ^= change
		}
		table := defrag.New(defrag.Config{Timeout: time.Second, Datagrams: 50, Bytes: 1 << 16})
		if load(table, text) != nil {
			return
		}
		if table.Len() > 50 {
			t.Errorf("%d datagrams", table.Len())
		}
		for _, ip := range all {
			fr, _ := decode.Fragment(ip)
			if whole, _ := table.Add(&fr, 0); len(whole) > 1<<18 {
				t.Errorf("a datagram of %d bytes", len(whole))
			}
		}
		if again := saved(t, table); load(defrag.New(defrag.DefaultConfig()), again) != nil {
			t.Error("what was loaded cannot be saved")
		}
		table.Expire(packet.MaxTime)
	})
}
