package conn

// Reassembly without bytes: which octets of a side were seen, which were
// acknowledged, and hence which were missed. The rules are those of Zeek's
// TCP_Reassembler; numbers are relative, the first octet of data is 1.

// When reassembly of a side is given up.
const (
	maxAboveHole     = 16384    // tcp_max_above_hole_without_any_acks
	maxUnacked       = 10 << 20 // tcp_excessive_data_without_further_acks
	maxInitialWindow = 16384    // tcp_max_initial_window: acks are not seen, keep nothing for them
	// maxRanges bounds the ranges kept above holes per side, which Zeek leaves to
	// the limits on bytes: with one-byte segments those would allow millions.
	maxRanges = 1024
)

// dataSent takes octets [seq, seq+n) of role's side. The name of an oddity comes back
// if reassembly is given up over it.
func (t *Tracker) dataSent(f *flow, s *stream, role int, seq uint64, n uint32) (oddity string) {
	e := &s.end[role]
	if e.is(gaveUp) {
		return ""
	}
	upper := seq + uint64(n)
	seq = max(seq, e.trimmed)
	if upper <= seq {
		return ""
	}
	switch {
	case seq > e.reassembled:
		t.addSpan(e, seq, upper)
	case upper > e.reassembled:
		t.deliver(f, s, role, upper)
	}
	if oddity = t.tooMuch(e); oddity != "" {
		t.freeSpans(e)
		e.has |= gaveUp
	}
	return oddity
}

// tooMuch says why reassembly of a side would keep too much: Zeek's names, and ours
// for our bound.
func (t *Tracker) tooMuch(e *endpoint) (oddity string) {
	var aboveHole, kept uint64
	ranges := uint32(0)
	if e.pending != 0 {
		lowest := t.spans.at(e.pending)
		ranges, kept = lowest.count, lowest.sum
		if e.nothingAcked() {
			aboveHole = t.spans.at(lowest.prev).hi - e.reassembled
		}
	}
	if e.reassembled > e.trimmed {
		kept += e.reassembled - e.trimmed
	}
	switch {
	case aboveHole > maxAboveHole:
		return "above_hole_data_without_any_acks"
	case kept > maxUnacked:
		return "excessive_data_without_further_acks"
	case ranges > maxRanges:
		return "excessive_holes"
	case ranges > 0 && t.bounds.spans > 0 && t.spans.live() > t.bounds.spans:
		t.bounds.gaveUp++
		return "excessive_holes"
	}
	return ""
}

// deliver moves reassembled up to upper, and on over the ranges that touch it.
func (t *Tracker) deliver(f *flow, s *stream, role int, upper uint64) {
	e := &s.end[role]
	e.reassembled = upper
	t.absorb(e)
	if e.nothingAcked() && e.size(&s.end[peer(role)]) > maxInitialWindow {
		t.trim(f, s, role, e.reassembled)
	}
}

// absorb drops the pending ranges that reassembled has reached.
func (t *Tracker) absorb(e *endpoint) {
	for e.pending != 0 {
		r := t.spans.at(e.pending)
		if r.lo > e.reassembled {
			return
		}
		e.reassembled = max(e.reassembled, r.hi)
		t.dropSpan(e, e.pending)
	}
}

// ackReceived takes an acknowledgement, relative, of role's octets.
func (t *Tracker) ackReceived(f *flow, s *stream, role int, ack uint64) {
	e := &s.end[role]
	if e.is(sentFIN) {
		if fin := t.knownTCP(f).side[role].finSeq; ack >= fin {
			ack = fin - 1 // the FIN is no data
		}
	}
	if ack <= e.trimmed {
		return
	}
	t.trim(f, s, role, ack)
	t.checkEOF(f, s, role)
}

// trim forgets what is below seq; what was not seen there is missed.
func (t *Tracker) trim(f *flow, s *stream, role int, seq uint64) {
	e := &s.end[role]
	if seq > e.reassembled {
		t.undelivered(f, s, role, seq)
	}
	for e.pending != 0 && t.spans.at(e.pending).hi <= seq {
		t.dropSpan(e, e.pending)
	}
	if e.pending != 0 && t.spans.at(e.pending).lo == e.reassembled {
		t.deliver(f, s, role, e.reassembled)
	}
	e.trimmed = max(e.trimmed, seq)
}

// undelivered gives up waiting for the holes below seq.
func (t *Tracker) undelivered(f *flow, s *stream, role int, seq uint64) {
	e := &s.end[role]
	if seq <= 2 && s.is(midway) {
		return // the octet before a midstream beginning, or a keep-alive's
	}
	if e.is(gaveUp) {
		e.reassembled = seq
		return
	}
	for e.pending != 0 {
		lo := t.spans.at(e.pending).lo
		if lo >= seq {
			break
		}
		t.gap(f, s, role, lo-e.reassembled)
		t.deliver(f, s, role, lo)
	}
	if seq > e.reassembled {
		t.gap(f, s, role, seq-e.reassembled)
		e.reassembled = seq
	}
}

// gap counts n missed octets, if the connection is sound: elsewhere holes come
// from mismatched numbers in RSTs or from before the capture.
func (t *Tracker) gap(f *flow, s *stream, role int, n uint64) {
	if s.end[orig].clean() && s.end[resp].clean() {
		o := t.oddTCP(f)
		o.missed += n
		t.addScaled(f, role, 'G', &o.side[role].gaps)
	}
}

// clean says whether a side is established or closed in order.
func (e *endpoint) clean() bool {
	return e.state == tcpEstablished || e.state == tcpClosed && e.earlier == tcpEstablished
}

// hasBlocks says whether octets of the side wait for a hole or for their ack.
func (e *endpoint) hasBlocks() bool {
	return !e.is(gaveUp) && (e.pending != 0 || e.reassembled > e.trimmed)
}

// dataPending says whether role's side sent what is not yet delivered, so that
// its close must wait.
func (s *stream) dataPending(role int) bool {
	e := &s.end[role]
	if e.is(gaveUp) {
		return false
	}
	delivered, last := uint64(e.start)+e.reassembled, full(e.last, e.lastWraps)
	if last < delivered {
		return false
	}
	if delivered != last && delivered != last-1 { // a FIN counts one, a RST none
		return true
	}
	return e.state != tcpReset && s.end[peer(role)].hasBlocks()
}
