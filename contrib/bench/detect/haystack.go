package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"pcapdir/analysis/anomaly"
	"pcapdir/analysis/flowvec"
	"pcapdir/analysis/logs"
	"pcapdir/contrib/bench/decoded"
	"pcapdir/source/packet"
)

const (
	haystackRatio   = 100_000 // benign packets of a window for each of an attack
	haystackWindows = 7       // of a minute; the attacks lie in the last, the others are the past
)

// haystack is a minute of very many sites. Each site is the hosts of the captures
// under names of their own, in a minute of the captures drawn for it; in the last
// window one site for each kind has some packets of that attack.
type haystack struct {
	minutes [][]packet.Packet          // without attacks, each in the order of time
	attacks map[string][]packet.Packet // the busiest minute of each kind
	sites   int
	most    int // packets of an attack
	rng     *rand.Rand
}

// needles measures the rank of each kind of attack among the incidents of that
// window, other attacks apart.
func needles(s set, sites int, out io.Writer) error {
	all, err := readLabels(s.labels)
	if err != nil {
		return err
	}
	h := &haystack{sites: sites, rng: rand.New(rand.NewPCG(1, 7))}
	if err := h.load(s.captures, all); err != nil {
		return err
	}
	h.most = max(1, h.benign()/haystackRatio)
	cfg := anomaly.DefaultConfig()
	cfg.Windows, cfg.Lines, cfg.Mute = cfg.Windows[:1], 10_000, 0
	det := anomaly.New(cfg)
	var reports []anomaly.Report
	packets := 0
	for w := range haystackWindows {
		table := flowvec.New(flowvec.DefaultConfig())
		packets = h.fill(table, w == haystackWindows-1)
		reports = det.Pane(packet.Time(w+1)*packet.Time(time.Minute), []*flowvec.Pane{table.ClosePane()}, true)
	}
	h.print(out, s.name, packets, reports[0])
	return nil
}

// load splits the captures into benign minutes and attacks.
func (h *haystack) load(captures []string, all labels) (err error) {
	var packets []packet.Packet
	for _, path := range captures {
		if packets, err = decoded.Read(packets, path); err != nil {
			return err
		}
	}
	if len(packets) == 0 {
		return errors.New("the captures hold no packets")
	}
	kinds := attacksOf(packets, all)
	h.attacks = map[string][]packet.Packet{}
	first := packets[0].Eff.Floor(time.Minute)
	for i, p := range packets {
		n := int(p.Eff.Sub(first) / time.Minute)
		p.Eff -= p.Eff.Floor(time.Minute)
		if kinds[i] != "" {
			p.Rank = uint64(n)
			h.attacks[kinds[i]] = append(h.attacks[kinds[i]], p)
			continue
		}
		for len(h.minutes) <= n {
			h.minutes = append(h.minutes, nil)
		}
		h.minutes[n] = append(h.minutes[n], p)
	}
	if len(h.minutes) < 4 {
		return errors.New("the captures hold less than four minutes")
	}
	h.minutes = h.minutes[1 : len(h.minutes)-1] // the first and the last are not whole
	for kind, of := range h.attacks {
		h.attacks[kind] = busiest(of)
	}
	return nil
}

// attacksOf is the attack that each packet belongs to, or "". What goes to or comes
// from a forged address, one that nobody had before the attack, belongs to that
// attack whenever it comes.
func attacksOf(packets []packet.Packet, all labels) []string {
	kinds := make([]string, len(packets))
	known := map[packet.Addr]bool{}
	forged := map[packet.Addr]string{}
	for i := range packets {
		p := &packets[i]
		kind := all.kindOf(window{TS: p.TS.Seconds()}, p.Src.Netip(), p.Dst.Netip())
		for _, a := range []packet.Addr{p.Src, p.Dst} {
			switch {
			case kind == "" || !all.forged(kind):
				known[a] = known[a] || forged[a] == ""
			case !known[a] && !all.targeted(kind, a.Netip()):
				forged[a] = kind
			}
		}
		if f := cmp.Or(forged[p.Src], forged[p.Dst]); f != "" {
			kind = f
		} else if all.forged(kind) {
			kind = "" // with the target, but of somebody known
		}
		kinds[i] = kind
	}
	return kinds
}

// busiest are the packets of the minute, kept in Rank, that has the most.
func busiest(of []packet.Packet) []packet.Packet {
	counts := map[uint64]int{}
	best := of[0].Rank
	for _, p := range of {
		if counts[p.Rank]++; counts[p.Rank] > counts[best] {
			best = p.Rank
		}
	}
	return slices.DeleteFunc(of, func(p packet.Packet) bool { return p.Rank != best })
}

// benign is about how many packets the sites send in a minute.
func (h *haystack) benign() (n int) {
	for _, m := range h.minutes {
		n += len(m)
	}
	return n / len(h.minutes) * h.sites
}

// fill adds one window. Sites share no pair, so one can follow the other.
func (h *haystack) fill(table *flowvec.Table, attacked bool) (packets int) {
	kinds := h.kinds()
	for site := range h.sites {
		// The past is made of the even minutes and the last window of the odd ones:
		// what is to be told from the attack was not seen before.
		n := h.rng.IntN(len(h.minutes)/2) * 2
		if attacked {
			n++
		}
		minute := h.minutes[n]
		if attacked && site < len(kinds) {
			of := h.attacks[kinds[site]]
			minute = slices.Concat(minute, of[:min(h.most, len(of))])
			slices.SortStableFunc(minute, func(a, b packet.Packet) int { return cmp.Compare(a.Eff, b.Eff) })
		}
		for i := range minute {
			p := minute[i]
			p.Src, p.Dst = atSite(p.Src, site), atSite(p.Dst, site)
			table.Add(&p, logs.UID{})
		}
		packets += len(minute)
	}
	return packets
}

func (h *haystack) kinds() []string {
	var names []string
	for k := range h.attacks {
		names = append(names, k)
	}
	slices.Sort(names)
	return names
}

// atSite is the address of the site's own host of that name.
func atSite(a packet.Addr, site int) packet.Addr {
	a[0], a[1], a[2], a[3] = 0xfd, byte(site>>16), byte(site>>8), byte(site)
	return a
}

// siteOf is the site of an address.
func siteOf(a netip.Addr) int {
	b := a.As16()
	return int(b[1])<<16 | int(b[2])<<8 | int(b[3])
}

func (h *haystack) print(out io.Writer, name string, packets int, r anomaly.Report) {
	kinds := h.kinds()
	fmt.Fprintf(out, "%s: a minute of %d sites, %d packets, %d conversations; at most %d packets of each attack\n\n", name, h.sites, packets, r.KMeans.Pairs, h.most)
	fmt.Fprintf(out, "%-16s %8s %8s %8s %s\n", "kind", "packets", "score", "rank", "label")
	ranks := h.ranks(r.Anomalies)
	found := 0
	for i, kind := range kinds {
		n := min(h.most, len(h.attacks[kind]))
		at, ok := ranks[i]
		if !ok {
			fmt.Fprintf(out, "%-16s %8d %8s %8s\n", kind, n, "-", fmt.Sprintf(">%d", len(r.Anomalies)))
			continue
		}
		if at.rank <= anomaly.DefaultConfig().Lines {
			found++
		}
		fmt.Fprintf(out, "%-16s %8d %8.2f %8d %s\n", kind, n, at.score, at.rank, at.label)
	}
	fmt.Fprintf(out, "\n%d of %d kinds are among the first %d incidents; a kind with - shows in none: its actor stands out more by something else\n",
		found, len(kinds), anomaly.DefaultConfig().Lines)
}

// needle is where an attack was found.
type needle struct {
	rank  int // among benign incidents, from 1
	score float64
	label string
}

// ranks is the first incident of each attacked site whose actor or pair the attack
// accounts for: one above the site's benign hosts is told by its pair.
func (h *haystack) ranks(lines []logs.Anomaly) map[int]needle {
	kinds := h.kinds()
	found := map[int]needle{}
	benign := 0
	for i := range lines {
		a := &lines[i]
		orig, resp := packet.Addr(a.OrigH), packet.Addr(a.RespH)
		site := siteOf(orig.Netip())
		if site < len(kinds) && h.attacked(kinds[site], orig, resp) {
			if _, ok := found[site]; !ok {
				found[site] = needle{benign + 1, a.Score, a.Label}
			}
			continue
		}
		benign++
	}
	return found
}

// attacked says whether two hosts of a site, any, exchanged packets of the attack.
func (h *haystack) attacked(kind string, a, b packet.Addr) bool {
	of := h.attacks[kind]
	return slices.ContainsFunc(of[:min(h.most, len(of))], func(p packet.Packet) bool {
		src, dst := atSite(p.Src, siteOf(a.Netip())), atSite(p.Dst, siteOf(a.Netip()))
		return src == a && dst == b || src == b && dst == a
	})
}
