package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
)

// line is one figure in every column.
type line struct {
	name  string
	value func(f *figures) string
}

// lines are the figures, in the order of the table.
func lines() []line {
	var all []line
	for _, n := range ranks {
		all = append(all, line{fmt.Sprintf("kinds at rank %d or better", n), func(f *figures) string { return share(f.Top[n]) }})
	}
	for _, n := range rates {
		all = append(all, line{fmt.Sprintf("kinds at %d false incidents/h", n), func(f *figures) string { return share(f.At[n]) }})
	}
	for _, n := range rates {
		all = append(all, line{fmt.Sprintf("kinds at %d/h, muted", n), func(f *figures) string { return share(f.Muted[n]) }})
	}
	return append(all,
		line{"ROC-AUC, mean over kinds", ofSingle(func(s *single) string { return share(s.ROC) })},
		line{"PR-AUC, mean over kinds", ofSingle(func(s *single) string { return share(s.PR) })},
		line{"  kinds with a scored row", ofSingle(func(s *single) string { return strconv.Itoa(s.Over) })},
		line{"precision of rank 1", ofSingle(func(s *single) string { return share(s.First) })},
		line{"alerts: kinds", func(f *figures) string { return strconv.Itoa(f.Alerts.Kinds) }},
		line{"alerts: lines of attacks", func(f *figures) string { return strconv.Itoa(f.Alerts.Right) }},
		line{"alerts: other lines", func(f *figures) string { return strconv.Itoa(f.Alerts.Wrong) }},
		line{"alerts: precision", func(f *figures) string { return share(f.Alerts.precision()) }},
		line{"alerts: other lines/h", func(f *figures) string { return fmt.Sprintf("%.1f", f.Alerts.WrongPerHour) }},
	)
}

func ofSingle(value func(s *single) string) func(f *figures) string {
	return func(f *figures) string {
		if f.Single == nil {
			return ""
		}
		return value(f.Single)
	}
}

func share(x float64) string { return fmt.Sprintf("%.2f", x) }

// printResults puts the modes of one set side by side, then each one's kinds.
func printResults(w io.Writer, results []*result) {
	first := results[0]
	fmt.Fprintf(w, "%s: %d kinds of attack, %d packets, %.1f minutes evaluated (from %d s after the first packet)\n\n",
		first.Set, first.Kinds, first.Packets, first.Hours*60, warmUp)
	fmt.Fprintf(w, "%-32s", "vectors.features")
	for _, r := range results {
		fmt.Fprintf(w, "  |%*s", 7*len(r.Columns), r.Mode)
	}
	fmt.Fprintln(w)
	for _, l := range append([]line{{"window", func(f *figures) string { return f.Windows }}}, lines()...) {
		fmt.Fprintf(w, "%-32s", l.name)
		for _, r := range results {
			printRow(w, r, l.value)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprint(w, "\nboth: a kind counts when one of the windows finds it, each at half of the rate.\n"+
		"alert: what the default configuration does; warming: the kind lies in the warm-up alone, which alerts nothing;\n"+
		"early: its highest score lies there.\n")
	for _, r := range results {
		printKinds(w, r)
	}
}

func printRow(w io.Writer, r *result, value func(f *figures) string) {
	fmt.Fprint(w, "  |")
	for i := range r.Columns {
		fmt.Fprintf(w, " %6s", value(&r.Columns[i]))
	}
}

// printKinds is one line for each kind, with each length of window beside the other.
func printKinds(w io.Writer, r *result) {
	fmt.Fprintf(w, "\nvectors.features = %s, by kind\n%-14s", r.Mode, "")
	for _, f := range r.Columns[:len(r.Columns)-1] {
		fmt.Fprintf(w, "  | %-35s", "window "+f.Windows)
	}
	fmt.Fprintf(w, "\n%-14s", "kind")
	for range r.Columns[:len(r.Columns)-1] {
		fmt.Fprintf(w, "  |%4s %6s %6s %6s  %-8s", "rank", "score", "/h", "muted", "alert")
	}
	fmt.Fprintln(w)
	for _, kind := range slices.Sorted(maps.Keys(r.PerKind)) {
		fmt.Fprintf(w, "%-14s", kind)
		for _, k := range r.PerKind[kind] {
			fmt.Fprintf(w, "  |%4s %6s %6s %6s  %-8s", k.rank(), k.score(), perHour(k.Rate), perHour(k.Muted), k.alert())
		}
		fmt.Fprintln(w)
	}
}

func (k *kindInOne) rank() string {
	if k.Rank == 0 {
		return "-"
	}
	return strconv.Itoa(k.Rank)
}

func (k *kindInOne) score() string {
	if k.Rank == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", k.Score)
}

// alert says whether the default configuration alerts, or could not have.
func (k *kindInOne) alert() string {
	switch {
	case k.Alerted:
		return "yes"
	case !k.Judged:
		return "warming"
	case k.Early:
		return "early"
	default:
		return "no"
	}
}

func perHour(rate *float64) string {
	if rate == nil {
		return "-"
	}
	return fmt.Sprintf("%.1f", *rate)
}
