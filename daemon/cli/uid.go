package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"pcapdir/daemon/report"
)

// printConn says what the logs in dir know of a connection and where its packets
// may be.
func printConn(ctx context.Context, w io.Writer, dir, uid string) error {
	if uid == "" {
		return usageError{errors.New("--uid is empty: give a uid out of conn.log or anomaly.log")}
	}
	found, err := report.Find(ctx, dir, uid)
	if err != nil {
		return err
	}
	c := &found.Conn
	name := "no known service"
	if c.Service != "" {
		name = "service " + c.Service
	}
	say(w, "connection", "%s, %s, %s", quoted(c.UID), quoted(c.Proto), quoted(name))
	say(w, "originator", "%s port %d: %.0f packets, %s", quoted(c.OrigH), c.OrigP, c.OrigPkts, size(int64(c.OrigBytes)))
	say(w, "responder", "%s port %d: %.0f packets, %s", quoted(c.RespH), c.RespP, c.RespPkts, size(int64(c.RespBytes)))
	if c.AsOf > 0 {
		say(w, "time", "from %s; at %s it was open", microTime(c.TS), microTime(c.AsOf))
	} else {
		say(w, "time", "%s to %s (%s)", microTime(c.TS), microTime(c.End()), span(c.Duration))
	}
	if c.ConnState != "" {
		say(w, "state", "%s: %s", quoted(c.ConnState), stateWords(c.Proto, c.ConnState))
	}
	if c.History != "" {
		say(w, "history", "%s", quoted(c.History))
	}
	printHolders(w, found)
	for _, file := range found.Left {
		say(w, "not read", "%s, to its end: there may be more", quoted(file))
	}
	return nil
}

func printHolders(w io.Writer, found *report.Found) {
	switch all := len(found.Files) + found.More; {
	case !found.Spool:
		say(w, "captures", "not known: there is no spool.log")
	case all == 0:
		say(w, "captures", "none in spool.log is of that time; a file that is still being read has no line yet")
	case all == 1:
		say(w, "captures", "by its time this file may hold its packets")
	default:
		say(w, "captures", "by their times these %d files may hold its packets, not each has to", all)
	}
	for _, f := range found.Files {
		say(w, "", "%s: %s to %s, %.0f packets, %s", quoted(f.File), microTime(f.First), microTime(f.Last), f.Packets, quoted(f.Outcome))
		if f.Reason != "" {
			say(w, "", "  %s", quoted(f.Reason))
		}
	}
	if found.More > 0 {
		say(w, "", "and %d more", found.More)
	}
	if len(found.Files) > 0 {
		printNames(w, found.Files)
	}
}

// printNames says what the names of files are: pcapdird run moves files after
// spool.log has their names.
func printNames(w io.Writer, files []report.Holder) {
	say(w, "names", "those that the files had when they were read, as spool.log has them")
	for _, kind := range [...]struct{ outcome, now string }{
		{"done", "what is done is in spool.done now, unless spool.after is keep or delete"},
		{"failed", "what failed is in spool.failed now"},
	} {
		if slices.ContainsFunc(files, func(h report.Holder) bool { return h.Outcome == kind.outcome }) {
			say(w, "", "if pcapdird run read them, %s", kind.now)
		}
	}
}

// microTime is a time as exact as logs have it.
func microTime(seconds float64) string {
	return time.UnixMicro(int64(math.Round(seconds * 1e6))).UTC().Format("2006-01-02T15:04:05.000000Z")
}

// stateWords is what a conn_state means, after Zeek's documentation of conn.log.
func stateWords(proto, state string) string {
	words := map[string]string{
		"S0": "an attempt without a reply", "S1": "established, its end not seen", "SF": "established and ended normally",
		"REJ":  "an attempt that was rejected",
		"S2":   "established; the originator wanted to close it, the responder did not reply",
		"S3":   "established; the responder wanted to close it, the originator did not reply",
		"RSTO": "established, aborted by the originator", "RSTR": "aborted by the responder",
		"RSTOS0": "the originator sent a SYN and then a RST; no SYN-ACK was seen",
		"RSTRH":  "the responder sent a SYN-ACK and then a RST; no SYN was seen",
		"SH":     "the originator sent a SYN and then a FIN; no SYN-ACK was seen",
		"SHR":    "the responder sent a SYN-ACK and then a FIN; no SYN was seen",
		"OTH":    "its beginning was not seen, nor its end",
	}
	if proto != "tcp" {
		words = map[string]string{"S0": "only the originator sent", "SF": "both sides sent", "SHR": "only the responder sent", "OTH": "neither side is known to have begun"}
	}
	if text, ok := words[state]; ok {
		return text
	}
	return fmt.Sprintf("not a state of %s that is known here", quoted(proto))
}
