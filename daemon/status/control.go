package status

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// Operation is one thing that can be asked of a daemon.
type Operation struct {
	Name string
	// Do answers with what is sent as JSON. ctx ends when nobody waits for the
	// answer any more. argument is empty where the operation has none.
	Do func(ctx context.Context, argument string) (any, error)
}

const (
	// controlMode lets the daemon's group ask, as it may read the logs.
	controlMode = fs.FileMode(0o660)
	// pathMax is the longest path of a socket in bytes (sizeof sun_path, less
	// the NUL).
	pathMax = 107
	// argumentMax bounds what is read of a request.
	argumentMax = 64 << 10
)

// ListenControl makes the control socket, in the place of one that a dead daemon
// left.
func ListenControl(path string) (net.Listener, error) { return listenUnix("status.control", path) }

// listenUnix makes a socket; key says which setting names it.
func listenUnix(key, path string) (net.Listener, error) {
	if err := fits(key, path); err != nil {
		return nil, err
	}
	if st, err := os.Lstat(path); err == nil {
		if st.Mode().Type() != fs.ModeSocket {
			return nil, fmt.Errorf("%s: %s is there and no socket: take it away, or set another path", key, path)
		}
		if c, err := net.Dial("unix", path); err == nil {
			_ = c.Close() // nothing was said
			return nil, fmt.Errorf("%s: another process answers at %s: end it, or set another path", key, path)
		}
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	if err := os.Chmod(path, controlMode); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", key, err), l.Close())
	}
	return l, nil
}

// fits says what is wrong with a path that is too long for a socket.
func fits(key, path string) error {
	if len(path) > pathMax {
		return fmt.Errorf("%s: %s is longer than %d bytes, the most that a socket may have: set %s to a shorter path", key, path, pathMax, key)
	}
	return nil
}

// ServeControl answers on l, HTTP on a unix socket: POST /NAME with the argument
// as its body. The answer is JSON: what the operation returned, or, with a status
// of 4xx, an object with its error. It closes l and returns when ctx ends.
func ServeControl(ctx context.Context, l net.Listener, log *slog.Logger, operations []Operation) error {
	mux := http.NewServeMux()
	for _, op := range operations {
		mux.HandleFunc("POST /"+op.Name, func(w http.ResponseWriter, r *http.Request) {
			argument, err := readArgument(w, r)
			var answer any
			if err == nil {
				answer, err = op.Do(r.Context(), argument)
			}
			reply(w, log, op.Name, answer, err)
		})
	}
	return serve(ctx, "control socket", newFew(&peers{l, log}), log, &http.Server{Handler: mux})
}

func readArgument(w http.ResponseWriter, r *http.Request) (string, error) {
	var b strings.Builder
	_, err := io.Copy(&b, http.MaxBytesReader(w, r.Body, argumentMax))
	return b.String(), err
}

// failure is the answer of an operation that failed.
type failure struct {
	Error string `json:"error"`
}

func reply(w http.ResponseWriter, log *slog.Logger, name string, answer any, err error) {
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		w.WriteHeader(http.StatusConflict)
		answer = failure{err.Error()}
	}
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		log.Debug("control socket: nobody waits for the answer", "operation", name, "error", err)
	}
}

// ErrNoDaemon says that nobody answers at a control socket.
var ErrNoDaemon = errors.New("no pcapdird answers")

// RefusedError is the error of an operation, as the daemon told it.
type RefusedError struct{ Reason string }

// Error is the reason.
func (r *RefusedError) Error() string { return r.Reason }

// Ask has the daemon at the control socket path do an operation, waits for it and
// decodes its answer into answer. Errors are ErrNoDaemon, *RefusedError, that of ctx, and that path is no path of a
// socket.
func Ask(ctx context.Context, path, operation, argument string, answer any) error {
	if err := fits("status.control", path); err != nil {
		return err
	}
	client := http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		},
		DisableKeepAlives: true,
	}}
	to := url.URL{Scheme: "http", Host: "pcapdird", Path: operation}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), strings.NewReader(argument))
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	var dialled *net.OpError
	switch {
	case errors.As(err, &dialled) && dialled.Op == "dial":
		return fmt.Errorf("%w at %s (%w): is it running, with this configuration, and are you in its group?", ErrNoDaemon, path, dialled.Err)
	case err != nil && ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return fmt.Errorf("%s: the daemon went away: %w", operation, err)
	}
	defer func() { _ = res.Body.Close() }() // read to its end, or of no use
	body := json.NewDecoder(res.Body)
	switch res.StatusCode {
	case http.StatusOK:
		return body.Decode(answer)
	case http.StatusConflict:
		var f failure
		if err := body.Decode(&f); err != nil {
			return err
		}
		return &RefusedError{f.Error}
	default:
		return fmt.Errorf("the daemon does not know %s: is it of the same version?", operation)
	}
}
