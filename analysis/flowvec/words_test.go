package flowvec_test

import (
	"math"
	"strings"
	"testing"

	"pcapdir/analysis/flowvec"
)

func TestWords(t *testing.T) {
	by := map[string]flowvec.Feature{}
	for _, f := range flowvec.Features() {
		by[f.Name] = f
		if text, differs := f.Words(1, 2); text == "" || !differs || strings.ContainsAny(text, "[]") {
			t.Errorf("%s: %q", f.Name, text)
		}
		if x := f.Scale(f.Natural(2)); math.Abs(x-2) > 1e-9 {
			t.Errorf("%s: 2 in natural units and back is %v", f.Name, x)
		}
	}
	for _, c := range []struct {
		feature      string
		value, usual float64
		want         string
	}{
		{"log_dports", 1000, 1, "about 1000 destination ports (usually 1)"},
		{"log_dports", 1597, 4, "over 1500 destination ports (usually 4)"},
		{"log_dports", 1.0000001, .99999, ""},
		{"log_dports", 1, 20, "1 destination port (usually about 20)"},
		{"beacon", 3, 0, "bursts at regular intervals"},
		{"s_b", 12_345_678, 800, "12 MB sent (usually 800 B)"},
		{"s_b", 10_500, 1.4e16, "11 kB sent (usually 14000 TB)"},
		{"s_iat", .0042, 180, "a packet sent every 4.2 ms (usually 3 min)"},
		{"syn_share", 1, .125, "100 % of packets sent are SYN (usually 13 %)"},
		{"port_rarity", 10, 1, "a service with 0.1 % of the conversations (usually 50 %)"},
		{"nratio", -3, 0, "0.13 packets received for each sent (usually 1)"},
		{"upload", -1e-9, 0, ""},
		{"ttl_dev", 21.2, 0, "a TTL 21 off that of its source (usually 0)"},
		{"s_n", math.Inf(1), math.NaN(), "+Inf T packets sent (usually NaN)"},
	} {
		f := by[c.feature]
		got, differs := f.Words(c.value, c.usual)
		if !differs {
			got = ""
		}
		if differs && !strings.Contains(got, f.Say(c.usual)) && strings.Contains(got, "usually") {
			t.Errorf("%s: %q has no %q", c.feature, got, f.Say(c.usual))
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.feature, got, c.want)
		}
	}
}
