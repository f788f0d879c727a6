package status

import (
	"context"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

type two struct{ a, b float64 }

func someFigures() []Figure[two] {
	return []Figure[two]{
		{Name: "a_total", Help: "A.", Counter: true, Read: func(p *two, emit func(float64, string)) { emit(p.a, "") }},
		{Name: "b", Help: "B.", Label: "of", Read: func(p *two, emit func(float64, string)) { emit(p.b, "x"); emit(p.b+1, "y") }},
		{Name: "c", Help: "C, which is not there.", Read: func(*two, func(float64, string)) {}},
	}
}

func TestMetrics(t *testing.T) {
	r := Metrics(someFigures(), func() two { return two{1, 2} }, "v1")
	want := `# HELP pcapdir_a_total A.
# TYPE pcapdir_a_total counter
pcapdir_a_total 1
# HELP pcapdir_b B.
# TYPE pcapdir_b gauge
pcapdir_b{of="x"} 2
pcapdir_b{of="y"} 3
# HELP pcapdir_build_info Always 1; the label says which version runs.
# TYPE pcapdir_build_info gauge
pcapdir_build_info{version="v1"} 1
`
	if err := testutil.GatherAndCompare(r, strings.NewReader(want), "pcapdir_a_total", "pcapdir_b", "pcapdir_c", "pcapdir_build_info"); err != nil {
		t.Error(err)
	}
}

// look serves w on l and is what GET answers there for a host.
func look(t *testing.T, l net.Listener, w Web) func(path, host string) (int, string) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- ServeWeb(ctx, l, slog.New(slog.DiscardHandler), w) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, l.Addr().Network(), l.Addr().String())
		},
	}}
	return func(path, host string) (int, string) {
		t.Helper()
		res, err := client.Get("http://" + host + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(text)
	}
}

func TestWeb(t *testing.T) {
	l, err := ListenWeb("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var ailing []string
	get := look(t, l, Web{Metrics: Metrics(someFigures(), func() two { return two{} }, ""), Ailments: func() []string { return ailing },
		Now:      func(have uint64) any { return map[string]uint64{"have": have} },
		Analyzed: func() any { return []string{"</script>"} }})
	here := l.Addr().String()
	for _, c := range []struct {
		path, host string
		code       int
		text       string
	}{
		{"/metrics", here, 200, "pcapdir_a_total 0"},
		{"/metrics", here, 200, "process_resident_memory_bytes"},
		{"/metrics", "localhost:1", 200, "go_goroutines"},
		{"/metrics", "evil.example", 421, "loopback"},
		{"/healthz", here, 200, "ok\n"},
		{"/debug/pprof/", here, 404, ""},
		{"/", here, 200, "<!doctype html>"},
		{"/", "evil.example", 421, ""},
		{"/now.json?have=7", here, 200, "{\"have\":7}\n"},
		{"/now.json?have=x", here, 200, "{\"have\":0}\n"},
		{"/analyzed.json", here, 200, "[\"\\u003c/script\\u003e\"]\n"},
		{"/now.json", "evil.example", 421, ""},
		{"/else", here, 404, ""},
	} {
		if code, text := get(c.path, c.host); code != c.code || !strings.Contains(text, c.text) {
			t.Errorf("%s of %s: %d %q", c.path, c.host, code, text)
		}
	}
	ailing = []string{"commits wait: the disk is full", "/in/\x1b[2J\nok: gone"}
	if code, text := get("/healthz", here); code != 503 || text != "commits wait: the disk is full\n/in/?[2J?ok: gone\n" {
		t.Errorf("%d %q", code, text)
	}
	if _, err := ListenWeb(here); err == nil || !strings.Contains(err.Error(), "take another port") {
		t.Errorf("a port that is taken: %v", err)
	}
}

func TestWebOnASocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := ListenWeb(path)
	if err != nil {
		t.Fatal(err)
	}
	get := look(t, l, Web{Metrics: Metrics(someFigures(), func() two { return two{} }, ""), Ailments: func() []string { return nil }, Profiles: true})
	for host, code := range map[string]int{"evil.example": 421, "127.0.0.1:9477": 200, "localhost": 200} {
		if got, text := get("/healthz", host); got != code {
			t.Errorf("%s: %d %s", host, got, text)
		}
	}
	for _, path := range []string{"/metrics", "/healthz", "/debug/pprof/", "/debug/pprof/goroutine"} {
		if code, _ := get(path, "whoever"); code != 200 {
			t.Errorf("%s: %d", path, code)
		}
	}
}

// A socket that somebody answers at is not taken away from them; one that is left is.
func TestSocketOfAnother(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	first, err := ListenWeb(path)
	if err != nil {
		t.Fatal(err)
	}
	if l, err := ListenWeb(path); err == nil || !strings.Contains(err.Error(), "another process answers at") {
		t.Errorf("%v, %v", l, err)
	}
	first.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := ListenWeb(path)
	if err != nil {
		t.Fatalf("what a dead daemon left: %v", err)
	}
	_ = second.Close()
}

// What cannot be told in JSON is an error, not an empty answer.
func TestNoJSON(t *testing.T) {
	w := httptest.NewRecorder()
	if showJSON(w, math.NaN()); w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), "NaN") {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}

// All files of the page are in it.
func TestPageIsWhole(t *testing.T) {
	entries, err := files.ReadDir("page")
	if err != nil || len(entries) != len(scripts) {
		t.Errorf("%d files in page, the page is made of %d; %v", len(entries), len(scripts), err)
	}
	if html := string(statusPage()); !strings.Contains(html, "connect-src 'self'") {
		t.Error("the page may not ask its server")
	}
}
