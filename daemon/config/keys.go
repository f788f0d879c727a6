package config

// Key is a key of the configuration, for those who show them.
type Key struct {
	Name    string // section.key
	Default string // as TOML
	Doc     string // one line
}

// Keys are all keys, in the order of the dump.
func Keys() []Key {
	all := make([]Key, len(fields))
	for i, f := range fields {
		all[i] = Key{f.key, string(f.in(Default()).append(nil)), f.doc}
	}
	return all
}
