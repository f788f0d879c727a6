package cli

import (
	"cmp"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"pcapdir/daemon/pipeline"
	"pcapdir/source/packet"
)

// printSummary says what a batch did: files, packets and connections, who spoke most, and
// what was most unusual.
func printSummary(w io.Writer, s pipeline.Summary, dir string) {
	put := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) } // to people
	span := "no packets"
	if s.Times {
		span = fmt.Sprintf("%s to %s", s.First.UTC(), s.Last.UTC())
	}
	put("read %d of %d files, %d packets, %s\n", s.Done, s.Admitted, s.Books.Read.Packets, span)
	put("logged %d connections to %s in %s, %s of CPU", s.Conns, dir, s.Elapsed.Round(time.Millisecond), s.CPU.Round(time.Millisecond))
	if n := s.Books.Lost().Packets; n > 0 {
		put("; %d packets without a connection (spool.log says why)", n)
	}
	if s.OneSided > 0 {
		put("; of %d TCP connections %d were seen one way only", s.TCP, s.OneSided)
	}
	put("\n")
	printTalkers(w, s)
	printAlerts(w, s)
}

func printTalkers(w io.Writer, s pipeline.Summary) {
	if len(s.Talkers) == 0 {
		return
	}
	_, _ = fmt.Fprintln(w, "most bytes:")
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, t := range s.Talkers {
		_, _ = fmt.Fprintf(table, "  %s -> %s\t%s\t%s out, %s in\n", t.Source, t.Target, t.Service, size(int64(t.Sent.Bytes)), size(int64(t.Received.Bytes)))
	}
	_ = table.Flush() // to people
}

func printAlerts(w io.Writer, s pipeline.Summary) {
	if s.Alerts == 0 {
		return
	}
	what := "alerts, the highest"
	if s.Alerts == len(s.Highest) {
		what = "alerts"
	}
	_, _ = fmt.Fprintf(w, "%d %s (anomaly.log has them, pcapdird report shows them):\n", s.Alerts, what)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, a := range s.Highest {
		_, _ = fmt.Fprintf(table, "  %s\t%.1f\t%s -> %s\t%s\t%s\n", time.Unix(int64(a.TS), 0).UTC().Format(time.RFC3339), a.Score, packet.Addr(a.OrigH), packet.Addr(a.RespH), a.Service, cmp.Or(a.Message, "no single reason"))
	}
	_ = table.Flush() // likewise
}
