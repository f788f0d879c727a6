package config

import (
	"slices"
	"strings"
)

// live are the keys whose change a running daemon takes on. All others are built into
// what it has open and saved, or, like order.hold_back, into what it has promised about
// files to come: they hold from the next start on, which loses nothing.
var live = []string{"order.lateness", "logs.rotate", "logs.rotate_size", "logs.compress", "commit.interval"}

// Live names the keys that a reload takes on, for people.
func Live() string { return strings.Join(live, ", ") }

// Change is a key that has another value than before.
type Change struct {
	Key      string
	From, To string // as TOML
	Live     bool   // a running daemon takes it on
}

// Reload is c with what a running daemon takes on of to, and all that differs between
// the two, in the order of the dump.
func (c *Config) Reload(to *Config) (*Config, []Change) {
	next := *c
	var all []Change
	for _, f := range fields {
		change := Change{f.key, string(f.in(c).append(nil)), string(f.in(to).append(nil)), slices.Contains(live, f.key)}
		if change.From == change.To {
			continue
		}
		if change.Live {
			change.Live = len(f.in(&next).set(literal(change.To))) == 0 // which holds for what was parsed
		}
		all = append(all, change)
	}
	return &next, all
}
