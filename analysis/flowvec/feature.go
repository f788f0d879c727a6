package flowvec

import "math"

// NumFeatures is the length of a vector.
const NumFeatures = 29

// Vector is one conversation of one window as features, in the order of Features.
type Vector [NumFeatures]float64

// Unit says how a feature's number reads in natural units.
type Unit uint8

// The units. A logarithm reads as what it was taken of.
const (
	Plain  Unit = iota // as it stands
	Log                // ln(1+x): reads as x
	LogGap             // ln(x+1e-4): reads as x, seconds
)

// Shrink says what scarce evidence pulls a feature towards.
type Shrink uint8

// The ways to shrink.
const (
	NoShrink   Shrink = iota
	ShrinkHome        // the median of its service
	ShrinkZero        // zero
)

// Feature is one number about a conversation. f and r in the definitions are
// the initiator's and the other direction, L(x) is ln(1+x).
type Feature struct {
	Name   string
	Doc    string  // its definition
	Floor  float64 // least deviation that counts as one, in the vector's unit
	Rel    bool    // scaled relative to its service first (R)
	Shrink Shrink  // for windows with few packets (S)
	Unit   Unit
	words  string // that name a value in natural units
	style  style  // of that value
	value  func(v *view) float64
}

// Features is a copy of the table of features.
func Features() [NumFeatures]Feature { return features }

// features has one row each: name, definition, floor, R, S, unit, words, and the code.
var features = [NumFeatures]Feature{
	{"s_n", "L(packets f)", .7, true, NoShrink, Log, "%s packet[s] sent", asCount, func(v *view) float64 { return v.count(v.f.n) }},
	{"s_b", "L(bytes f)", .8, true, NoShrink, Log, "%s sent", asBytes, func(v *view) float64 { return v.count(v.f.bytes) }},
	{"s_rb", "L(bytes r)", 1, true, ShrinkHome, Log, "%s received", asBytes, func(v *view) float64 { return v.count(v.r.bytes) }},
	{"s_flows", "L(5-tuples f, counted in each pane)", .6, true, NoShrink, Log, "%s connection[s]", asCount, func(v *view) float64 { return v.count(uint64(v.f.flows)) }},
	{"s_ppf", "L(packets f per 5-tuple)", .6, true, NoShrink, Log, "%s packet[s] sent per connection", asCount, func(v *view) float64 { return v.log(v.perFlow(float64(v.f.n))) }},
	{"s_pay", "L(mean payload of packets with payload, f)", .5, true, ShrinkHome, Log, "%s of payload in each packet sent that has any", asBytes, func(v *view) float64 { return v.log(v.f.meanPay()) }},
	{"s_rpay", "L(mean payload of packets with payload, r)", .5, true, ShrinkHome, Log, "%s of payload in each packet received that has any", asBytes, func(v *view) float64 { return v.log(v.r.meanPay()) }},
	{"s_iat", "ln(mean gap between packets f in seconds + 0.0001)", 1, true, ShrinkHome, LogGap, "a packet sent every %s", asSeconds, func(v *view) float64 { return logGap(v.f.meanGap()) }},
	{"active", "time from first to last packet f, of the window", .3, true, NoShrink, Plain, "first and last packet sent %s of the window apart", asShare, func(v *view) float64 { return v.f.span() / v.window }},
	{"log_dports", "L(distinct destination ports f; estimated beyond 4, 1597 at most)", .7, true, NoShrink, Log, "%s destination port[s]", asEstimate, func(v *view) float64 { return v.log(v.f.ports.len()) }},
	{"port_rarity", "-log2(share of the window's conversations with this service, of each crowd 16 at most)", 1.5, false, NoShrink, Plain, "a service with %s of the conversations", asRarity, func(v *view) float64 { return v.rarity }},
	{"syn_share", "share of SYN without ACK among packets f", .15, true, ShrinkHome, Plain, "%s of packets sent are SYN", asShare, func(v *view) float64 { return v.f.share(v.f.syn) }},
	{"fail_share", "share of 5-tuples f without payload", .25, true, ShrinkHome, Plain, "%s of connections in which the originator sent no payload", asShare, func(v *view) float64 { return v.perFlow(float64(v.f.dry)) }},
	{"rst_in", "share of RST among packets r", .2, false, ShrinkZero, Plain, "%s of packets received are RST", asShare, func(v *view) float64 { return v.r.share(v.r.rst) }},
	{"weird", "share of NULL, FIN+PSH+URG, SYN+FIN and bare FIN among packets f", .1, false, NoShrink, Plain, "%s of packets sent have flags that no system sends", asShare, func(v *view) float64 { return v.f.share(v.f.weird) }},
	{"icmp", "share of ICMP among packets f", .5, false, NoShrink, Plain, "%s of packets sent are ICMP", asShare, func(v *view) float64 { return v.f.share(v.f.icmp) }},
	{"nratio", "log2 of packets r + 1 over packets f + 1", .7, true, ShrinkHome, Plain, "%s packets received for each sent", asRatio, func(v *view) float64 { return v.ratio(v.r.n, v.f.n) }},
	{"bratio", "log2 of bytes r + 1 over bytes f + 1", 1.5, true, ShrinkHome, Plain, "%s bytes received for each sent", asRatio, func(v *view) float64 { return v.ratio(v.r.bytes, v.f.bytes) }},
	{"beacon", "with 3 or more gaps between bursts f: (1 - their variation) L(gaps)", .8, true, NoShrink, Plain, "bursts at regular intervals", asNumber, func(v *view) float64 { return v.f.bursts.regularity() }},
	{"regular", "with 4 or more 5-tuples f: (1 - variation of their bytes) L(5-tuples)", .8, true, NoShrink, Plain, "connections of the same size", asNumber, func(v *view) float64 { return v.f.sameSize() }},
	{"ttl_spread", "highest less lowest TTL f", 4, false, NoShrink, Plain, "TTLs %s apart", asNumber, func(v *view) float64 { return float64(v.f.ttlMax) - float64(v.f.ttlMin) }},
	{"ttl_dev", "distance of the mean TTL f from the median over the source's conversations", 8, false, NoShrink, Plain, "a TTL %s off that of its source", asNumber, func(v *view) float64 { return v.ttlDeviation() }},
	{"fail_fanout", "when failed: L(failed conversations of this source)", .7, false, NoShrink, Log, "%s failed conversation[s] of this source", asCount, func(v *view) float64 { return v.whenFailed(v.failedFrom) }},
	{"fail_fanin", "when failed: L(failed conversations to this target)", .7, false, NoShrink, Log, "%s failed conversation[s] with this target", asCount, func(v *view) float64 { return v.whenFailed(v.failedTo) }},
	{"same_port_fanout", "L(conversations of this source to this service)", .7, false, NoShrink, Log, "%s target[s] asked for this service", asCount, func(v *view) float64 { return v.log(v.sameService) }},
	{"src_ports", "L(distinct destination ports, as above, summed over this source's conversations)", .7, false, NoShrink, Log, "%s pair[s] of host and port tried by this source", asSum, func(v *view) float64 { return v.log(v.sourcePorts) }},
	{"upload", "L(payload f less payload r, when positive)", 2, true, NoShrink, Log, "payload sent exceeds payload received by %s", asBytes, func(v *view) float64 { return v.log(max(0, float64(v.f.pay)-float64(v.r.pay))) }},
	{"pay_cv", "variation of payload sizes f", .5, true, ShrinkHome, Plain, "payload sizes that vary by %s", asShare, func(v *view) float64 { return v.f.payVariation() }},
	{"peak", "L(most packets f in one second)", .8, true, NoShrink, Log, "%s packet[s] sent in one second", asCount, func(v *view) float64 { return v.count(uint64(v.f.peak)) }},
}

// Natural is a number of this feature in natural units, without the noise that a
// logarithm and its undoing leave.
func (f *Feature) Natural(x float64) float64 {
	switch f.Unit {
	case Log:
		return quiet(math.Expm1(x))
	case LogGap:
		return quiet(math.Exp(x) - leastGap)
	default:
		return x
	}
}

// quiet is x, or the number of millionths of which it is within a billionth.
func quiet(x float64) float64 {
	const steps = 1e9
	if math.Abs(x) < 1/steps {
		return 0
	}
	near := math.Round(x*1e6) / 1e6
	if math.Abs(near-x) <= math.Abs(x)/steps {
		return near
	}
	return x
}

// Scale is the inverse of Natural, but for what that rounds.
func (f *Feature) Scale(natural float64) float64 {
	switch f.Unit {
	case Log:
		return math.Log1p(max(0, natural))
	case LogGap:
		return logGap(max(0, natural))
	default:
		return natural
	}
}

// variation is the coefficient of variation of n numbers with that sum and sum of squares.
func variation(n, sum, squares float64) float64 {
	if n <= 1 || sum <= 0 {
		return 0
	}
	mean := sum / n
	return math.Sqrt(max(0, squares/n-mean*mean)) / mean
}
