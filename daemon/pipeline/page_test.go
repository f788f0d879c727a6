package pipeline_test

import (
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"pcapdir/daemon/config"
	"pcapdir/daemon/page/pagetest"
	"pcapdir/daemon/pipeline"
	"pcapdir/source/decode/decodetest"
	"pcapdir/source/packet"
)

// freePort is an address that nobody listens at.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // it was only asked for
	return l.Addr().String()
}

// openPage is a browser that looks at the page of a daemon with such windows.
func openPage(t *testing.T, windows []time.Duration) (*pagetest.Browser, *daemon) {
	t.Helper()
	b := pagetest.Open(t)
	cfg := site(newRoot(t))
	cfg.Status.Listen, cfg.Vectors.Windows = freePort(t), windows
	d := startAs(t, pipeline.Options{Config: cfg, Flush: true, Version: "v7"})
	b.Size(1280, 900)
	b.Go("http://" + cfg.Status.Listen + "/")
	return b, d
}

// lab is a capture that reports have something to say of.
func lab(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("../../testdata/pcap/lab-00.pcap.zst")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// The page shows what the daemon does while it does it, wide and on a phone, and what
// stands in names stays text.
func TestPageOfADaemon(t *testing.T) {
	b, d := openPage(t, config.Default().Vectors.Windows)
	b.Await("all is well", "No packet yet", "version v7", "No file waits.")
	d.mv(t, "lab.pcap.zst", lab(t))
	d.mv(t, "<img src=x onerror=alert(1)>.pcap", []byte("no capture"))
	wantAnswer[pipeline.Sealed](t, d, "seal", "")
	b.Await("Logged up to 2026-11-21 05:29:", "lab.pcap.zst", "<img src=x onerror=alert(1)>.pcap", "not a capture", "10.77.1.12 \u2192", "Conversations of a report", "Incidents of this report")
	if n := b.Eval("document.querySelectorAll('circle.dot').length"); n == "0" || n == "1" {
		t.Errorf("%s conversations are drawn", n)
	}
	b.Sound()
	b.Size(390, 800)
	b.Await("Conversations with the most bytes")
	b.Sound()
	wantAnswer[pipeline.Paused](t, d, "pause", "")
	b.Await("paused")
	d.quit(t)
	b.Await("The daemon does not answer")
}

// A page that is open when the daemon ends follows the next one, which has no report yet.
func TestPageFollowsTheNextDaemon(t *testing.T) {
	b, d := openPage(t, config.Default().Vectors.Windows)
	d.mv(t, "lab.pcap.zst", lab(t))
	wantAnswer[pipeline.Sealed](t, d, "seal", "")
	b.Await("10.77.1.12 \u2192", "Conversations of a report", "Incidents of this report")
	d.quit(t)
	b.Await("The daemon does not answer")
	d = startAs(t, pipeline.Options{Config: d.cfg, Flush: true, Version: "v8"})
	b.Await("version v8", "Nothing was reported yet")
	if text := b.Text(); strings.Contains(text, "Conversations of a report") || strings.Contains(text, "The daemon does not answer") {
		t.Errorf("what another daemon said is still there:\n%s", text)
	}
	d.mv(t, "again.pcap.zst", append(lab(t), 0)) // not a copy
	wantAnswer[pipeline.Sealed](t, d, "seal", "")
	wantAnswer[pipeline.Paused](t, d, "pause", "")
	b.Await("paused")
	b.Sound("ERR_CONNECTION_REFUSED")
	d.quit(t)
}

// The page says so where there are no vectors, and where all that came was caught up on;
// no two marks of an axis are alike.
func TestPageWithoutVectors(t *testing.T) {
	b, d := openPage(t, nil)
	b.Await("No packet yet", "vectors.windows is empty", "0.5/s")
	ip := decodetest.From("10.0.0.1", "10.0.0.2").UDP(1000, 9, make([]byte, 20))
	old := capture{"old", []record{{TS: packet.Time(time.Second), LinkType: 101, Wire: uint32(len(ip)), Data: ip}}}
	d.mv(t, "old", forms[0].encode(t, old))
	b.Await("Nothing but what was caught up on")
	b.Sound()
	d.quit(t)
}
