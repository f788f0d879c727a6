package status

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Web is what is served to those who watch: figures, and whether all is well.
type Web struct {
	Metrics *prometheus.Registry
	// Ailments says what is wrong, one sentence each; none: all is well. It is called
	// from any goroutine.
	Ailments func() []string
	Profiles bool // net/http/pprof, too
	// Now is what the page shows of this moment, to one who has the history up to sample
	// have (0: none of it), and Analyzed what the newest reports say: JSON, for its scripts.
	// They are called from any goroutine.
	Now      func(have uint64) any
	Analyzed func() any
}

// ListenWeb listens at addr: a port of this machine alone (127.0.0.1:9477), or the path
// of a socket, which the daemon's group may use.
func ListenWeb(addr string) (net.Listener, error) {
	if filepath.IsAbs(addr) {
		return listenUnix("status.listen", addr)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("status.listen: %w: take another port, or end who has it", err)
	}
	return l, nil
}

// loopback says whether host, without a port, is this machine and nobody else can reach it.
func loopback(host string) bool {
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.IsLoopback() || strings.EqualFold(host, "localhost")
}

// ServeWeb answers on l until ctx ends: GET / (a page), /metrics, /healthz and, where
// wanted, /debug/pprof/. It changes nothing, whoever asks for what.
func ServeWeb(ctx context.Context, l net.Listener, log *slog.Logger, w Web) error {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(w.Metrics, promhttp.HandlerOpts{ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}))
	mux.HandleFunc("GET /healthz", func(rw http.ResponseWriter, _ *http.Request) { health(rw, w.Ailments()) })
	mux.HandleFunc("GET /{$}", showPage(statusPage()))
	mux.HandleFunc("GET /now.json", func(rw http.ResponseWriter, r *http.Request) {
		have, _ := strconv.ParseUint(r.FormValue("have"), 10, 64) // all, for who does not say
		showJSON(rw, w.Now(have))
	})
	mux.HandleFunc("GET /analyzed.json", func(rw http.ResponseWriter, _ *http.Request) { showJSON(rw, w.Analyzed()) })
	if w.Profiles {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	return serve(ctx, "status.listen", newFew(l), log, &http.Server{Handler: ownHost(l, mux), WriteTimeout: 2 * time.Minute})
}

// health says whether all is well, in the words of load balancers and of people.
func health(w http.ResponseWriter, ailments []string) {
	own(w, "text/plain; charset=utf-8")
	if len(ailments) == 0 {
		_, _ = io.WriteString(w, "ok\n") // whoever asked has gone
		return
	}
	w.WriteHeader(http.StatusServiceUnavailable)
	for _, a := range ailments {
		_, _ = fmt.Fprintf(w, "%s\n", strings.Map(visible, a)) // likewise
	}
}

// visible is r, or a question mark for what would begin a line or move a cursor: file
// names are other people's.
func visible(r rune) rune {
	if !unicode.IsPrint(r) {
		return '?'
	}
	return r
}

// ownHost refuses who was sent here under the name of another host, as by a page in a
// browser on this machine, or on one that forwards a port to the socket, whose name was
// made to point here (DNS rebinding). At a socket a name without a dot will do: clients
// have to say some, and nobody else can give those.
func ownHost(l net.Listener, next http.Handler) http.Handler {
	socket := l.Addr().Network() == "unix"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if r.Host != "" && !loopback(host) && !(socket && !strings.Contains(host, ".")) { // no browser leaves it out
			http.Error(w, "this is for requests to a loopback address; a proxy is to say Host: localhost", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// serve runs a server on l until ctx ends; what names it in errors.
func serve(ctx context.Context, what string, l net.Listener, log *slog.Logger, s *http.Server) error {
	s.ReadHeaderTimeout, s.ReadTimeout, s.MaxHeaderBytes = 10*time.Second, 10*time.Second, 8<<10
	s.BaseContext = func(net.Listener) context.Context { return ctx }
	s.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelDebug)
	defer context.AfterFunc(ctx, func() { _ = s.Close() })() // its error is that of closing l
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
