package kmeans

import "math"

// neighbours are, for each centroid, the others by rising distance from it.
type neighbours struct {
	k    int
	list []neighbour // k lists of k-1
}

type neighbour struct {
	apart    float64
	centroid int32
}

func (n *neighbours) of(centroid int) []neighbour {
	each := n.k - 1
	return n.list[centroid*each : (centroid+1)*each]
}

// nearest is the centroid closest to row, the lowest of equals, and its squared
// distance. The search begins at guess.
func (n *neighbours) nearest(row, centroids []float64, guess int) (int, float64) {
	d := len(row)
	best, least := guess, squared(row, centroids[guess*d:(guess+1)*d], math.Inf(1))
	from := math.Sqrt(least)
	reach := 2 * from * (1 + slack) // beyond it, by the triangle inequality, none is as near as best
	for _, o := range n.of(guess) {
		if o.apart > reach {
			break
		}
		j := int(o.centroid)
		if s := squared(row, centroids[j*d:(j+1)*d], least); s < least || s == least && j < best {
			best, least = j, s
			reach = (from + math.Sqrt(s)) * (1 + slack)
		}
	}
	return best, least
}

// arrange measures and sorts anew. From pass to pass the order hardly changes,
// which insertion makes use of.
func (n *neighbours) arrange(centroids []float64, d int) {
	if k := len(centroids) / d; n.k != k {
		n.k, n.list = k, make([]neighbour, 0, k*(k-1))
		for j := range k {
			for o := range k {
				if o != j {
					n.list = append(n.list, neighbour{centroid: int32(o)})
				}
			}
		}
	}
	for j := range n.k {
		of := n.of(j)
		for i := range of {
			o := int(of[i].centroid)
			next := neighbour{math.Sqrt(squared(centroids[j*d:(j+1)*d], centroids[o*d:(o+1)*d], math.Inf(1))), of[i].centroid}
			at := i
			for ; at > 0 && of[at-1].apart > next.apart; at-- {
				of[at] = of[at-1]
			}
			of[at] = next
		}
	}
}
