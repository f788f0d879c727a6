package config

import "strings"

// unknownKey says of a key that does not exist which one may have been meant.
// TOML libraries match keys in any case; here a wrong case is a wrong key, so
// that one setting has one spelling everywhere.
func unknownKey(section, name string) (msg, hint string) {
	full := section + "." + name
	var siblings []string
	for _, f := range fields {
		switch {
		case strings.EqualFold(f.key, full):
			return "unknown key: keys are lower case", DidYouMean(f.key)
		case f.section() == section:
			siblings = append(siblings, f.name())
		}
	}
	if n := Nearest(name, siblings); n != "" {
		return "unknown key", DidYouMean(section + "." + n)
	}
	return "unknown key", DidYouMean(keyNamed(name))
}

// unknownSection does the same for a table, or for a key above all tables.
func unknownSection(name string) (msg, hint string) {
	if key := keyNamed(name); key != "" {
		return "unknown section", DidYouMean(key)
	}
	var sections []string
	for _, f := range fields {
		if strings.EqualFold(f.section(), name) {
			return "unknown section: names are lower case", DidYouMean(f.section())
		}
		sections = append(sections, f.section())
	}
	return "unknown section", DidYouMean(Nearest(name, sections))
}

// keyNamed is the first key whose part behind the dot is name: the right key
// in the wrong section.
func keyNamed(name string) string {
	for _, f := range fields {
		if f.name() == name {
			return f.key
		}
	}
	return ""
}

// DidYouMean is the question whether s was meant; nothing, if s is nothing.
func DidYouMean(s string) string {
	if s == "" {
		return ""
	}
	return "did you mean " + s + "?"
}

// Nearest is the word at the least edit distance from s, or nothing when even
// that is no likely slip of the keyboard.
func Nearest(s string, words []string) string {
	const longest = 64 // no word is longer, and the distance costs len*len
	if len(s) > longest {
		return ""
	}
	best, least := "", 1+max(1, len(s)/3)
	for _, w := range words {
		if d := editDistance(s, w); d < least {
			best, least = w, d
		}
	}
	return best
}

// editDistance is Levenshtein's, in bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
