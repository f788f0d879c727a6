package spool

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// rawName is a path in JSON. Paths are any bytes, JSON is UTF-8 and replaces
// what is not, so such bytes, and the % that marks them, are written as %XX.
type rawName string

// MarshalText implements encoding.TextMarshaler.
func (n rawName) MarshalText() ([]byte, error) {
	if utf8.ValidString(string(n)) && !strings.Contains(string(n), "%") {
		return []byte(n), nil
	}
	var b []byte
	for s := string(n); s != ""; {
		r, size := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && size == 1 || r == '%' {
			b = fmt.Appendf(b, "%%%02X", s[0])
		} else {
			b = append(b, s[:size]...)
		}
		s = s[size:]
	}
	return b, nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (n *rawName) UnmarshalText(text []byte) error {
	before, s, found := strings.Cut(string(text), "%")
	b := []byte(before)
	for found {
		if len(s) < 2 {
			return fmt.Errorf("path %q: %% without two digits", text)
		}
		c, err := strconv.ParseUint(s[:2], 16, 8)
		if err != nil {
			return fmt.Errorf("path %q: %w", text, err)
		}
		b = append(b, byte(c))
		before, s, found = strings.Cut(s[2:], "%")
		b = append(b, before...)
	}
	*n = rawName(b)
	return nil
}

// moveFields is Move with the methods of its JSON form left out.
type moveFields Move

// moveJSON is Move as the ledger holds it: the outer fields hide the inner.
type moveJSON struct {
	From, To rawName
	moveFields
}

// MarshalJSON implements json.Marshaler.
func (m Move) MarshalJSON() ([]byte, error) {
	return json.Marshal(moveJSON{rawName(m.From), rawName(m.To), moveFields(m)})
}

// UnmarshalJSON implements json.Unmarshaler.
func (m *Move) UnmarshalJSON(b []byte) error {
	var j moveJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	*m = Move(j.moveFields)
	m.From, m.To = string(j.From), string(j.To)
	return nil
}
