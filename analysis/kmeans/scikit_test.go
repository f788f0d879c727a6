package kmeans

import (
	"encoding/json"
	"math"
	"os"
	"reflect"
	"testing"
)

// scikitCase is what testdata/sklearn.py wrote of one data set.
type scikitCase struct {
	Kind       string
	N, D, K    int
	Seed       uint64
	Check      float64 // sum of all numbers
	Start      []int   // rows that the centroids start at
	Inertia    float64
	Iterations int
	Sizes      []int
}

// From the same start, Lloyd's passes end where scikit-learn's do: the same
// clusters, and the same inertia but for rounding. Rows of whole numbers are as
// far from two centroids at the start: the lowest gets them here, there whichever
// rounding favours, and the passes then part. One per cent is allowed for that.
func TestAgainstScikitLearn(t *testing.T) {
	text, err := os.ReadFile("testdata/sklearn.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Version string
		Cases   []scikitCase
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	if len(golden.Cases) < 5 {
		t.Fatalf("%d cases", len(golden.Cases))
	}
	for _, c := range golden.Cases {
		rows := scikitRows(c)
		var sum float64
		for _, x := range rows {
			sum += x
		}
		if math.Abs(sum-c.Check) > 1e-9*math.Abs(c.Check)+1e-6 {
			t.Fatalf("%s %d: the rows add up to %v, those of scikit-learn to %v", c.Kind, c.Seed, sum, c.Check)
		}
		var start []float64
		for _, i := range c.Start {
			start = append(start, rows[i*c.D:(i+1)*c.D]...)
		}
		const most = 300 // as in the script
		got := Fit(rows, c.D, Config{K: c.K, Start: start, MaxIterations: most})
		apart := math.Abs(got.Inertia-c.Inertia) / c.Inertia
		t.Logf("%s %dx%d k %d: inertia %.6f, scikit-learn %s %.6f, apart %.1e; %d passes, %d", c.Kind, c.N, c.D, c.K,
			got.Inertia, golden.Version, c.Inertia, apart, got.Iterations, c.Iterations)
		allowed := .01
		if c.Kind != "counts" && got.Iterations < most && c.Iterations < most { // until no label changed, both
			allowed = 1e-6
			if !reflect.DeepEqual(got.Sizes, c.Sizes) {
				t.Errorf("%s %d: sizes %v, scikit-learn %v", c.Kind, c.Seed, got.Sizes, c.Sizes)
			}
		}
		if apart > allowed {
			t.Errorf("%s %d: inertia %v, scikit-learn %v", c.Kind, c.Seed, got.Inertia, c.Inertia)
		}
	}
}

// congruential is the script's generator.
type congruential uint64

func (s *congruential) uniform() float64 {
	*s = *s*6364136223846793005 + 1442695040888963407
	return float64(*s>>11) / (1 << 53)
}

func (s *congruential) below(n int) int { return int(s.uniform() * float64(n)) }

func (s *congruential) bell() float64 {
	sum := -6.
	for range 12 {
		sum += s.uniform()
	}
	return sum
}

// scikitRows are the rows that the script makes. Products are rounded before
// they are added to, as Python does; a fused operation would not.
func scikitRows(c scikitCase) []float64 {
	s := congruential(c.Seed)
	centres := make([]float64, c.K*c.D)
	for i := range centres {
		centres[i] = float64(s.uniform()*12) - 6
	}
	rows := make([]float64, 0, c.N*c.D)
	for range c.N {
		var at []float64
		if c.Kind != "heavy" {
			j := s.below(c.K)
			at = centres[j*c.D : (j+1)*c.D]
		}
		for x := range c.D {
			switch c.Kind {
			case "mixture":
				rows = append(rows, at[x]+s.bell())
			case "heavy":
				rows = append(rows, 1/math.Sqrt(1-s.uniform()))
			default:
				rows = append(rows, math.Floor(at[x]+float64(s.uniform()*2)))
			}
		}
	}
	return rows
}
