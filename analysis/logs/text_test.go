package logs

import (
	"encoding/json"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

// The cases of Zeek's own tests of json_escape_utf8, and the escapes of rapidjson.
func TestAppendTextAsZeek(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", `""`},
		{"string", `"string"`},
		{`quote " backslash \ slash /`, `"quote \" backslash \\ slash /"`},
		{"\b\f\n\r\t", `"\b\f\n\r\t"`},
		{"\x00\x07\x1f\x7f", `"\\x00\\x07\\x1f\\x7f"`},
		{"\x82", `"\\x82"`},
		{"\xc3\xb1", "\"\xc3\xb1\""},
		{"\xc2\x80", `"\\xc2\\x80"`},                       // C1 control
		{"\xee\x8b\xa0", `"\\xee\\x8b\\xa0"`},              // private use
		{"\xef\xbf\xbd", `"\\xef\\xbf\\xbd"`},              // U+FFFD as such
		{"\xf1\x80\x8c\xbc", "\"\xf1\x80\x8c\xbc\""},       // four bytes
		{"\xf0\x80\x8c\xbc", `"\\xf0\\x80\\x8c\\xbc"`},     // overlong
		{"\xf2\x28\x8c\xbc", `"\\xf2(\\x8c\\xbc"`},         // bad second byte
		{"\xf4\x80\x8c", `"\\xf4\\x80\\x8c"`},              // cut short
		{"\xed\xa0\x80", `"\\xed\\xa0\\x80"`},              // surrogate
		{"\xc3\xb1\xc0\x81", "\"\xc3\xb1" + `\\xc0\\x81"`}, // valid, then invalid
		{"a\u2028b😀", "\"a\u2028b😀\""},                     // valid JSON, if not JavaScript
		{strings.Repeat("x", 300), `"` + strings.Repeat("x", 300) + `"`},
	} {
		if got := string(appendText(nil, c.in)); got != c.want {
			t.Errorf("%q printed as %s, want %s", c.in, got, c.want)
		}
		if got := string(appendText(nil, []byte(c.in))); got != c.want {
			t.Errorf("bytes %q printed as %s, want %s", c.in, got, c.want)
		}
	}
}

// Whatever the bytes: one line of valid JSON in valid UTF-8 that parses to the
// text with its unprintable bytes spelled out.
func FuzzAppendText(f *testing.F) {
	for _, s := range []string{"", "plain", "\"\\\n\x00", "ü\xff\xc3", "\xef\xbf\xbd", "\xf0\x9f\x98\x80\xf0\x9f"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		text := appendText(nil, in)
		if !utf8.Valid(text) || strings.ContainsAny(string(text), "\n\r") {
			t.Fatalf("%q printed as %q", in, text)
		}
		var got string
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("%q printed as %s: %v", in, text, err)
		}
		if want := spelledOut(string(in)); got != want {
			t.Fatalf("%q reads back as %q, want %q", in, got, want)
		}
	})
}

// spelledOut is the slow and plain form of the rule.
func spelledOut(s string) string {
	const hex = "0123456789abcdef"
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if strings.ContainsRune("\b\f\n\r\t", r) || r >= ' ' && r < 0x7f || r >= 0xa0 && r < 0xe000 || r > 0xf8ff && r < 0xfff0 || r > 0xffff {
			b.WriteString(s[i : i+n])
		} else {
			for _, c := range []byte(s[i : i+n]) {
				b.WriteString(`\x` + string(hex[c>>4]) + string(hex[c&15]))
			}
		}
		i += n
	}
	return b.String()
}

func TestAppendAddr(t *testing.T) {
	for _, s := range []string{"10.77.2.9", "0.0.0.0", "::", "::1", "2001:db8::80", "fe80::1:0:0:2", "2001:db8:0:1:1:1:1:1"} {
		a := addr(s)
		if got := string(appendAddr(nil, &a)); got != `"`+s+`"` {
			t.Errorf("%s printed as %s", s, got)
		}
	}
}

func TestUIDIsBase62(t *testing.T) {
	all := []UID{{}, {11: 61}, {11: 62}, {3: 1}, {4: 1}, {2: 1}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
		{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}}
	r := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		u := UID{}
		for i := r.IntN(13); i < len(u); i++ {
			u[i] = byte(r.Uint32())
		}
		all = append(all, u)
	}
	for _, u := range all {
		want := "" // math/big has the lower case letters first, and a digit for zero
		if u != (UID{}) {
			for _, c := range new(big.Int).SetBytes(u[:]).Text(62) {
				switch {
				case c >= 'a' && c <= 'z':
					c -= 'a' - 'A'
				case c >= 'A' && c <= 'Z':
					c += 'a' - 'A'
				}
				want += string(c)
			}
		}
		if got := u.String(); got != "C"+want {
			t.Errorf("%x printed as %s, want C%s", u, got, want)
		}
	}
}

func TestAppendHex16(t *testing.T) {
	if got := string(appendHex16(nil, 0x00ab00000000cdef)); got != `"00ab00000000cdef"` {
		t.Error(got)
	}
}

// Eight bytes at a time find what one at a time finds.
func TestPlain(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for n := range 20 {
		for at := range n {
			for c := range 256 {
				s := make([]byte, n)
				for i := range s {
					s[i] = byte(' ' + 1 + r.IntN(0x7e-' '))
					if !isPlain(s[i]) {
						s[i] = 'x'
					}
				}
				s[at] = byte(c)
				if got := plain(s); got != isPlain(byte(c)) {
					t.Fatalf("%q: %t", s, got)
				}
			}
		}
	}
}
