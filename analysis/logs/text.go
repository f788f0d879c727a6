package logs

import (
	"encoding/binary"
	"net/netip"
	"unicode/utf8"
)

// appendText prints s as a JSON string the way Zeek does: UTF-8 passes, the five
// control characters that have a short escape in JSON take it, and any byte that
// belongs to no printable character becomes the four characters \xHH (so that a
// backslash, an x and two digits stand in the parsed string).
func appendText[S ~string | ~[]byte](dst []byte, s S) []byte {
	dst = append(dst, '"')
	start := len(dst)
	if dst = append(dst, s...); !plain(dst[start:]) {
		dst = appendEscaped(dst[:start], s)
	}
	return append(dst, '"')
}

// isPlain says whether c is printed as it is.
func isPlain(c byte) bool { return c >= ' ' && c < 0x7f && c != '"' && c != '\\' }

// plain says whether all of s is printed as it is. It takes eight bytes at a time: the
// highest bit of a byte of each term is set for the lowest of them that is not plain, at
// least (Lamport, Multiple byte processing with full-word instructions, 1975).
func plain(s []byte) bool {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	for ; len(s) >= 8; s = s[8:] {
		x := binary.LittleEndian.Uint64(s)
		quote, slash := x^'"'*ones, x^'\\'*ones
		if (x|(x-' '*ones)|(x+ones)|(quote-ones)&^quote|(slash-ones)&^slash)&high != 0 {
			return false
		}
	}
	for _, c := range s {
		if !isPlain(c) {
			return false
		}
	}
	return true
}

// appendEscaped is what stands between the quotes.
func appendEscaped[S ~string | ~[]byte](dst []byte, s S) []byte {
	start := 0 // of what was looked at and not yet copied
	for i := 0; i < len(s); {
		c := s[i]
		if isPlain(c) {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			if n := printable(s[i:min(len(s), i+utf8.UTFMax)]); n > 0 {
				i += n
				continue
			}
		}
		dst = append(dst, s[start:i]...)
		dst = appendEscape(dst, c)
		i++
		start = i
	}
	return append(dst, s[start:]...)
}

// printable is the length of the character that s begins with, or 0 when that is
// no valid UTF-8 or one that Zeek takes for unprintable: C1 controls, private use,
// and the specials at the end of the basic plane.
func printable[S ~string | ~[]byte](s S) int {
	var buf [utf8.UTFMax]byte
	r, n := utf8.DecodeRune(buf[:copy(buf[:], s)])
	switch {
	case r < 0xa0, r >= 0xe000 && r <= 0xf8ff, r >= 0xfff0 && r <= 0xffff:
		return 0 // U+FFFD, which also stands for invalid, is among the specials
	}
	return n
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, `\b`...)
	case '\f':
		return append(dst, `\f`...)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	return appendHexByte(append(dst, '\\'), c)
}

// appendOptional leaves a field unset when its text is empty.
func appendOptional[S ~string | ~[]byte](dst []byte, s S) []byte {
	if len(s) == 0 {
		return dst
	}
	return appendText(dst, s)
}

// appendWord prints what is made of fixed letters, each of which stands for itself, or
// leaves a field unset where there are none.
func appendWord[S ~string | ~[]byte](dst []byte, s S) []byte {
	if len(s) == 0 {
		return dst
	}
	return append(append(append(dst, '"'), s...), '"')
}

// appendAddr prints a v4-mapped address as IPv4, any other as RFC 5952 says.
func appendAddr(dst []byte, a *[16]byte) []byte {
	dst = append(dst, '"')
	dst = netip.AddrFrom16(*a).Unmap().AppendTo(dst)
	return append(dst, '"')
}

const hexDigits = "0123456789abcdef"

// appendMAC leaves an address of zeros unset.
func appendMAC(dst []byte, a *[6]byte) []byte {
	if *a == ([6]byte{}) {
		return dst
	}
	dst = append(dst, '"')
	for i, c := range a {
		if i > 0 {
			dst = append(dst, ':')
		}
		dst = append(dst, hexDigits[c>>4], hexDigits[c&0xf])
	}
	return append(dst, '"')
}

func appendBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, "true"...)
	}
	return append(dst, "false"...)
}

// appendTrue leaves out what is false.
func appendTrue(dst []byte, b bool) []byte {
	if !b {
		return dst
	}
	return appendBool(dst, true)
}

func appendUID(dst []byte, u UID) []byte {
	return append(u.Append(append(dst, '"')), '"')
}

// appendHex16 prints n as a string of 16 hex digits: too large for the doubles
// that most readers of JSON keep numbers in.
func appendHex16(dst []byte, n uint64) []byte {
	dst = append(dst, '"')
	for shift := 60; shift >= 0; shift -= 4 {
		dst = append(dst, hexDigits[n>>shift&15])
	}
	return append(dst, '"')
}

// appendList prints a list, with each for its elements, or leaves the field unset
// when it is empty, as Zeek does with tunnel_parents.
func appendList[E any](dst []byte, list []E, each func(dst []byte, e *E) []byte) []byte {
	if len(list) == 0 {
		return dst
	}
	for i := range list {
		dst = append(dst, ',')
		mark := len(dst) - 1
		dst = each(dst, &list[i])
		if i == 0 {
			dst[mark] = '['
		}
	}
	return append(dst, ']')
}
