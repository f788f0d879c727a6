package config

import (
	"testing"
	"time"
)

// A reload takes on what is live and tells of the rest; neither configuration changes.
func TestReload(t *testing.T) {
	was, to := Default(), Default()
	if err := to.Set([]string{"logs.rotate=24h", "logs.rotate_size=1GiB", "shards.count=3", "conn.local_nets=10.0.0.0/8"}); err != nil {
		t.Fatal(err)
	}
	next, changes := was.Reload(to)
	want := []Change{
		{"shards.count", "0", "3", false},
		{"conn.local_nets", "[]", `["10.0.0.0/8"]`, false},
		{"logs.rotate", `"1h"`, `"24h"`, true},
		{"logs.rotate_size", `"any"`, `"1GiB"`, true},
	}
	if len(changes) != len(want) {
		t.Fatalf("changes %+v", changes)
	}
	for i, c := range changes {
		if c != want[i] {
			t.Errorf("change %+v, want %+v", c, want[i])
		}
	}
	if next.Logs.Rotate != 24*time.Hour || next.Logs.RotateSize != 1<<30 || next.Shards.Count != 0 || next.Conn.LocalNets != nil {
		t.Errorf("taken on: %+v", next)
	}
	if was.Logs.Rotate != time.Hour {
		t.Error("the configuration before has changed")
	}
	if _, changes := was.Reload(Default()); len(changes) > 0 {
		t.Errorf("between equal ones: %+v", changes)
	}
}

// Every live key is a key, and takes on what another configuration has.
func TestReloadOfEveryLiveKey(t *testing.T) {
	other := map[string]string{
		"order.lateness": "7s", "logs.rotate": "0s", "logs.rotate_size": "2KiB", "logs.compress": "false", "commit.interval": "7s",
	}
	for _, key := range live {
		to := Default()
		if err := to.Set([]string{key + "=" + other[key]}); err != nil {
			t.Error(err)
			continue
		}
		next, changes := Default().Reload(to)
		if _, left := next.Reload(to); len(changes) != 1 || len(left) > 0 {
			t.Errorf("%s: changes %+v, left %+v", key, changes, left)
		}
	}
}
