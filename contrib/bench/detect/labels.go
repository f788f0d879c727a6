package main

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
)

// label is one attack of labels.csv: who attacked whom, and when.
type label struct {
	src, dst   netip.Prefix // src is not valid where sources were forged: any
	start, end float64      // seconds since 1970
	kind       string
}

// labels are those that name a source first: where one of them and one of
// forged sources fit, the exact one is meant.
type labels []label

// readLabels reads a table with the columns src, dst, start, end, kind and others.
func readLabels(path string) (labels, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // opened for reading
	table, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(table) < 2 || len(table[0]) < 5 {
		return nil, fmt.Errorf("%s: wants a header and rows of src,dst,start,end,kind", path)
	}
	var all labels
	for i, record := range table[1:] {
		l, err := parseLabel(record)
		if err != nil {
			return nil, fmt.Errorf("%s: row %d: %w", path, i+2, err)
		}
		all = append(all, l)
	}
	slices.SortStableFunc(all, func(a, b label) int { return cmp.Compare(a.forged(), b.forged()) })
	return all, nil
}

func parseLabel(record []string) (label, error) {
	var src netip.Prefix
	var err error
	if record[0] != "*" {
		src, err = parsePrefix(record[0])
	}
	dst, errDst := parsePrefix(record[1])
	start, errStart := strconv.ParseFloat(record[2], 64)
	end, errEnd := strconv.ParseFloat(record[3], 64)
	if record[4] == "" {
		err = errors.Join(err, errors.New("no kind"))
	}
	return label{src, dst, start, end, record[4]}, errors.Join(err, errDst, errStart, errEnd)
}

// parsePrefix takes an address for the prefix that holds it alone.
func parsePrefix(s string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p, nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	return netip.PrefixFrom(a, a.BitLen()), nil
}

// forged is 1 where the sources were forged, 0 where one is named.
func (l *label) forged() int {
	if l.src.IsValid() {
		return 0
	}
	return 1
}

// overlaps says whether some of the attack lies in a window.
func (l *label) overlaps(w window) bool { return w.TS > l.start && w.TS-w.Length <= l.end }

// between says whether two addresses are those of the attack, either way round.
func (l *label) between(a, b netip.Addr) bool {
	if !l.src.IsValid() {
		return l.dst.Contains(a) || l.dst.Contains(b)
	}
	return l.src.Contains(a) && l.dst.Contains(b) || l.src.Contains(b) && l.dst.Contains(a)
}

// kindOf is the attack that two addresses show in a window, or "".
func (all labels) kindOf(w window, a, b netip.Addr) string {
	for i := range all {
		if l := &all[i]; l.overlaps(w) && l.between(a, b) {
			return l.kind
		}
	}
	return ""
}

// kinds are the names of all kinds, sorted.
func (all labels) kinds() []string {
	var names []string
	for i := range all {
		names = append(names, all[i].kind)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// forged says whether a kind has forged sources.
func (all labels) forged(kind string) bool {
	return slices.ContainsFunc(all, func(l label) bool { return l.kind == kind && l.forged() == 1 })
}

// targeted says whether an address is a target of that kind.
func (all labels) targeted(kind string, a netip.Addr) bool {
	return slices.ContainsFunc(all, func(l label) bool { return l.kind == kind && l.dst.Contains(a) })
}
