package conn

// maxHistory bounds a history: a sender can add a letter per packet (each RST
// with a new sequence number is one), and Zeek's string has no end. Letters
// beyond it are left out, as are those for which Config.Memory has no room.
const maxHistory = 4096

// letters is a piece of a history that outgrew its flow.
type letters struct {
	b    [27]byte
	n    uint8
	next uint32 // the piece before this one
}

// letter is the history letter of a role: originators are upper case.
func letter(role int, c byte) byte { return c + byte(role)*('a'-'A') }

// addHistory appends c as it is.
func (t *Tracker) addHistory(f *flow, c byte) {
	if int(f.histLen) < len(f.hist) {
		f.hist[f.histLen] = c
		f.histLen++
		return
	}
	if int(f.histMore) >= maxHistory-len(f.hist) {
		return
	}
	if f.histNext != 0 {
		if l := t.letters.at(f.histNext); int(l.n) < len(l.b) {
			l.b[l.n] = c
			l.n++
			f.histMore++
			return
		}
	}
	if t.bounds.letters > 0 && t.letters.live() >= t.bounds.letters {
		return
	}
	f.histMore++
	i, l := t.letters.alloc()
	l.b[0], l.n, l.next = c, 1, f.histNext
	f.histNext = i
}

// addScaled counts one more of an oddity and writes its letter at the first, the
// 10th, the 100th and so on.
func (t *Tracker) addScaled(f *flow, role int, c byte, count *uint32) {
	if *count++; isPowerOfTen(*count) {
		t.addHistory(f, letter(role, c))
	}
}

func isPowerOfTen(n uint32) bool {
	switch n {
	case 1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000:
		return true
	}
	return false
}

// historyIs says whether the history is exactly one letter.
func (f *flow) historyIs(c byte) bool { return f.histLen == 1 && f.hist[0] == c }

// appendHistory appends the whole history to dst.
func (t *Tracker) appendHistory(dst []byte, f *flow) []byte {
	dst = append(dst, f.hist[:f.histLen]...)
	at := len(dst) + int(f.histMore)
	for len(dst) < at {
		dst = append(dst, 0)
	}
	for i := f.histNext; i != 0; { // newest piece first
		l := t.letters.at(i)
		at -= int(l.n)
		copy(dst[at:], l.b[:l.n])
		i = l.next
	}
	return dst
}

// freeHistory gives back the pieces.
func (t *Tracker) freeHistory(f *flow) {
	for i := f.histNext; i != 0; {
		next := t.letters.at(i).next
		t.letters.release(i)
		i = next
	}
	f.histNext = 0
}
