package packet

import "time"

// Time is packet time in nanoseconds since the Unix epoch, as the capture says.
// It is not the wall clock, and the two never mix.
type Time int64

// MaxTime is later than any packet.
const MaxTime = Time(1<<63 - 1)

// Unix makes a Time of seconds and nanoseconds. Out-of-range stamps are the
// caller's to refuse: the sum is taken as it is.
func Unix(sec, nsec int64) Time { return Time(sec*1e9 + nsec) }

// Add is t moved by d.
func (t Time) Add(d time.Duration) Time { return t + Time(d) }

// Sub is the span from o to t.
func (t Time) Sub(o Time) time.Duration { return time.Duration(t - o) }

// Seconds is t as Zeek prints it: whole seconds plus microseconds/1e6 in
// float64. What is below a microsecond is cut, as libpcap does for Zeek.
func (t Time) Seconds() float64 {
	us := int64(t) / 1000
	if t < 0 && int64(t)%1000 != 0 {
		us-- // cut towards the past, as for positive stamps
	}
	sec := us / 1e6
	frac := us % 1e6
	if frac < 0 {
		sec, frac = sec-1, frac+1e6
	}
	return float64(sec) + float64(frac)/1e6
}

// Floor is the last multiple of step at or before t. step is positive.
func (t Time) Floor(step time.Duration) Time {
	r := t % Time(step)
	if r < 0 {
		r += Time(step)
	}
	return t - r
}

// UTC is t for people, to the second.
func (t Time) UTC() string { return time.Unix(0, int64(t)).UTC().Format(time.RFC3339) }
