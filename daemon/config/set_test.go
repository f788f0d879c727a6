package config

import (
	"errors"
	"net/netip"
	"reflect"
	"testing"
	"time"
)

func TestSet(t *testing.T) {
	c := Default()
	err := c.Set([]string{
		"order.window=50ms",
		"order.hold_back=1s",
		` order.hold_back = "2s"`, // the last one wins
		"spool.dirs=/data/in",
		"conn.local_nets=[\"10.0.0.0/8\", \"192.168.0.0/16\"]",
		"conn.uid_key=123",
		"conn.ignore_checksums=true",
		"shards.hash=4-tuple",
		"shards.count=3",
		"kmeans.k=auto",
		"anomaly.budget=2.5",
		"logs.dir=a=b",
		"vectors.windows=[\"2m\"]",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Order.Window, want.Order.HoldBack = 50*time.Millisecond, 2*time.Second
	want.Spool.Dirs = []string{"/data/in"}
	want.Conn.LocalNets = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.168.0.0/16")}
	want.Conn.UIDKey, want.Conn.IgnoreChecksums = "123", true
	want.Shards = Shards{Count: 3, Hash: Hash4Tuple}
	want.Anomaly.Budget = 2.5
	want.Logs.Dir = "a=b"
	want.Vectors.Windows = []time.Duration{2 * time.Minute}
	same(t, c, want)
}

func TestSetProblems(t *testing.T) {
	for _, tc := range []struct {
		set  []string
		want []string
	}{
		{[]string{"order.window"}, []string{"--set: order.window: wants section.key=value"}},
		{[]string{"window=5s"}, []string{"--set: window: wants section.key=value"}},
		{[]string{"order.windw=5s"}, []string{"--set: order.windw: unknown key (did you mean order.window?)"}},
		{[]string{"ordr.window=5s"}, []string{"--set: ordr.window: unknown section (did you mean order?)"}},
		{[]string{"Order.Window=5s"}, []string{"--set: Order.Window: unknown section: names are lower case (did you mean order?)"}},
		{[]string{"order.window=5", "shards.count=many"}, []string{
			`--set: order.window: wants a duration such as "5s", got the integer 5 (write "5s" for seconds)`,
			`--set: shards.count: wants an integer, got the string "many"`,
		}},
		{[]string{"shards.count=1\nhash = \"x\""}, []string{
			`--set: shards.count: wants an integer, got the string "1\nhash = \"x\""`,
		}},
		{[]string{"vectors.pane=45s"}, []string{
			`--set: vectors.windows: 1m is not a multiple of vectors.pane, 45s (write "45s")`,
			`--set: vectors.windows: 5m is not a multiple of vectors.pane, 45s (write "5m15s")`,
		}},
		{[]string{"spool.done=/var/spool/pcapdir/incoming/done"}, []string{
			"--set: spool.done: /var/spool/pcapdir/incoming/done lies inside the watched /var/spool/pcapdir/incoming (put it beside that directory, not into it)",
		}},
	} {
		err := Default().Set(tc.set)
		var ps Problems
		if !errors.As(err, &ps) {
			t.Errorf("Set(%q) = %v, want Problems", tc.set, err)
			continue
		}
		var got []string
		for _, p := range ps {
			got = append(got, p.String())
		}
		if !reflect.DeepEqual(got, tc.want) {
			t.Errorf("Set(%q):\ngot  %q\nwant %q", tc.set, got, tc.want)
		}
	}
}

// What Parse has already said about a file, Set does not say again; what an
// assignment mends is gone.
func TestSetAfterParse(t *testing.T) {
	c, err := Parse("f", []byte("[vectors]\npane = \"45s\"\n"))
	if err == nil {
		t.Fatal("the default windows fit no pane of 45s")
	}
	if err := c.Set([]string{"order.window=1s"}); err != nil {
		t.Errorf("said again: %v", err)
	}
	if err := c.Set([]string{`vectors.windows=["90s"]`}); err != nil {
		t.Errorf("mended, but: %v", err)
	}
	if ps := c.relations(); len(ps) > 0 {
		t.Errorf("still there: %v", ps)
	}
}

func TestNearest(t *testing.T) {
	for _, tc := range []struct{ word, want string }{
		{"settle", "settle"}, {"setle", "settle"}, {"stetle", "settle"},
		{"k", "k"}, {"kk", "k"}, {"unrelated", ""}, {"", "k"},
		{string(make([]byte, 1000)), ""},
	} {
		if got := Nearest(tc.word, []string{"dirs", "settle", "k"}); got != tc.want {
			t.Errorf("Nearest(%q) = %q, want %q", tc.word, got, tc.want)
		}
	}
	if d := editDistance("kitten", "sitting"); d != 3 {
		t.Errorf("kitten to sitting is %d edits, want 3", d)
	}
}
