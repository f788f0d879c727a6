package main

import (
	"encoding/csv"
	"os"
	"strconv"

	"pcapdir/analysis/flowvec"
)

// writeRows writes every conversation of every window, with its label and all
// features in natural units, as a table for other programs.
//
// elapsed is the time from the first packet to the end of the window, or to the
// last packet where that is earlier, in seconds. score is empty where there was
// no model of the past yet.
func writeRows(path string, o *outcome, all labels) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	w := csv.NewWriter(file)
	header := []string{"ts", "window", "elapsed", "actor", "orig", "resp", "service", "kind", "score"}
	features := flowvec.Features()
	for i := range features {
		header = append(header, features[i].Name)
	}
	_ = w.Write(header) // an error stays with w until Error
	for i := range o.rows {
		r := &o.rows[i]
		record := []string{
			number(r.TS), number(r.Length), number(min(r.TS, o.last) - o.first),
			r.Actor.String(), r.Orig.String(), r.Resp.String(), r.Service, all.kindOf(r.window, r.Orig, r.Resp), "",
		}
		if r.Scored {
			record[len(record)-1] = number(r.Score)
		}
		for j := range features {
			record = append(record, number(r.Features[features[j].Name]))
		}
		_ = w.Write(record)
	}
	w.Flush()
	if err := w.Error(); err != nil {
		_ = file.Close() // the first error is the one to tell
		return err
	}
	return file.Close()
}

func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
