package logs

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

func TestAppendFloatAsRapidJSON(t *testing.T) {
	for _, c := range []struct {
		v    float64
		want string
	}{
		{0, "0.0"},
		{math.Copysign(0, -1), "-0.0"},
		{100, "100.0"},
		{-3, "-3.0"},
		{9.5367431640625e-7, "9.5367431640625e-7"},
		{1e-6, "0.000001"},
		{-1e-6, "-0.000001"},
		{9.999999e-7, "9.999999e-7"},
		{1.5e-5, "0.000015"},
		{0.10370898246765137, "0.10370898246765137"},
		{1238616.5, "1238616.5"},
		{1700000000, "1700000000.0"},
		{1300475167 + 96535/1e6, "1300475167.096535"},
		{1700000000.0000002, "1700000000.0000002"}, // one step above: not a whole microsecond
		{4294967295.999999, "4294967295.999999"},
		{4294967296.000001, "4294967296.000001"},
		{9007199254740993, "9007199254740992.0"},
		{1e20, "100000000000000000000.0"},
		{123456789012345680000, "123456789012345680000.0"},
		{1e21, "1e21"},
		{1.5e21, "1.5e21"},
		{1e100, "1e100"},
		{-1e-10, "-1e-10"},
		{5e-324, "5e-324"},
		{math.MaxFloat64, "1.7976931348623157e308"},
		{math.NaN(), "null"},
		{math.Inf(1), "null"},
		{math.Inf(-1), "null"},
	} {
		if got := string(appendFloat(nil, c.v)); got != c.want {
			t.Errorf("%v printed as %s, want %s", c.v, got, c.want)
		}
	}
}

// Any double must read back as itself from valid JSON, in the shortest digits, with
// an exponent only where rapidjson has one.
func FuzzAppendFloat(f *testing.F) {
	for _, v := range []float64{0, 1, 0.1, 1700000000.000001, 1e-6, 1e21, 5e-324, math.MaxFloat64, 4294967296.5} {
		f.Add(math.Float64bits(v))
	}
	f.Fuzz(func(t *testing.T, bits uint64) {
		v := math.Float64frombits(bits)
		checkFloat(t, v)
		checkFloat(t, math.Mod(math.Round(math.Mod(v, 1e15)), 1e15)/1e6) // microseconds, the fast path
	})
}

func checkFloat(t *testing.T, v float64) {
	t.Helper()
	text := string(appendFloat(nil, v))
	if math.IsNaN(v) || math.IsInf(v, 0) {
		if text != "null" {
			t.Fatalf("%v printed as %s", v, text)
		}
		return
	}
	if back, err := strconv.ParseFloat(text, 64); err != nil || math.Float64bits(back) != math.Float64bits(v) {
		t.Fatalf("%v printed as %s, reads as %v, %v", v, text, back, err)
	}
	if !json.Valid([]byte(text)) || !strings.ContainsAny(text, ".e") {
		t.Fatalf("%v printed as %s", v, text)
	}
	abs := math.Abs(v)
	if want := abs != 0 && (abs < 1e-6 || abs >= 1e21); strings.Contains(text, "e") != want {
		t.Fatalf("%v printed as %s", v, text)
	}
	shortest := strings.Trim(digits(strconv.FormatFloat(v, 'e', -1, 64)), "0")
	if got := strings.Trim(digits(text), "0"); got != shortest {
		t.Fatalf("%v printed as %s: digits %s, want %s", v, text, got, shortest)
	}
}

// digits are those of a number's mantissa.
func digits(s string) string {
	s, _, _ = strings.Cut(s, "e")
	return strings.NewReplacer("-", "", ".", "").Replace(s)
}

func BenchmarkFloat(b *testing.B) {
	for name, v := range map[string]float64{"time": 1795238616.006069, "duration": 0.10370898246765137} {
		b.Run(name, func(b *testing.B) {
			dst := make([]byte, 0, 32)
			for b.Loop() {
				dst = appendFloat(dst[:0], v)
			}
		})
	}
}

func TestAppendUint(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 100_000 {
		n := r.Uint64() >> r.IntN(64)
		if got, want := string(appendUint(nil, n)), strconv.FormatUint(n, 10); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	}
	for n := uint64(1); ; n *= 10 {
		for _, n := range []uint64{n - 1, n, n + 1} {
			if got, want := string(appendUint(nil, n)), strconv.FormatUint(n, 10); got != want {
				t.Fatalf("%s, want %s", got, want)
			}
		}
		if n > math.MaxUint64/10 {
			break
		}
	}
	if got := string(appendUint(nil, uint64(math.MaxUint64))); got != "18446744073709551615" {
		t.Error(got)
	}
}
