package conn

// Apart is how much there is of what flows have apart, and of what else a snapshot is
// about, for tests that want to know whether they reach it.
func (t *Tracker) Apart() map[string]int {
	reached := map[string]int{
		"ranges": t.spans.live(), "histories": t.letters.live(), "oddities": t.rares.live(), "oddities of TCP": t.tcpRares.live(),
		"parents": len(t.parents), "links": len(t.links), "tunnels": len(t.plain), "instants": len(t.showings.list) - t.showings.next,
	}
	t.flows.each(func(i uint32) {
		f := t.flows.at(i)
		switch {
		case f.bucket == noBucket:
		case f.marks&markOneWay != 0:
			reached["one-way"]++
		case f.transport() == other:
			reached["without ports"]++
		case f.histLen > 0 && f.hist[0] == '^':
			reached["turned round"]++
		case f.addr[orig].Is4():
			reached["IPv4"]++
		default:
			reached["IPv6"]++
		}
	})
	return reached
}
