// Command demo shows the main job on the captures in testdata: it builds
// pcapdird, starts it on a spool of its own, moves captures in, and shows the
// logs that appear.
//
//	go run ./contrib/demo
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	if err := demo(); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// patience is how long the demo waits for the daemon before it gives up.
const patience = 3 * time.Minute

func demo() error {
	captures, err := filepath.Glob("testdata/pcap/*.pcap*")
	if err != nil || len(captures) == 0 {
		return errors.New("no captures in testdata/pcap: run this from the root of the repository")
	}
	dir, err := os.MkdirTemp("", "pcapdir-demo-")
	if err != nil {
		return err
	}
	say("everything is under %s", dir)
	say("building pcapdird")
	bin := filepath.Join(dir, "pcapdird")
	if out, err := exec.Command("go", "build", "-o", bin, "./daemon/pcapdird").CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	config, err := configure(dir)
	if err != nil {
		return err
	}
	say("$ pcapdird run --flush --config %s", config)
	daemon := exec.Command(bin, "run", "--flush", "--config", config)
	daemon.Stderr = os.Stderr
	if err := daemon.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- daemon.Wait() }()
	err = errors.Join(feed(dir, captures, ended), stop(daemon, ended))
	if err != nil {
		return err
	}
	return show(dir)
}

func configure(dir string) (path string, err error) {
	text := fmt.Sprintf(`# The defaults, but for places, and for waiting less than a sensor would.
[spool]
dirs   = [%q]
done   = %q
failed = %q
settle = "1s"
[order]
hold_back = "2s"
[commit]
interval = "1s"
dir      = %q
[logs]
dir = %q
`, filepath.Join(dir, "incoming"), filepath.Join(dir, "done"), filepath.Join(dir, "failed"),
		filepath.Join(dir, "state"), filepath.Join(dir, "logs"))
	path = filepath.Join(dir, "pcapdir.toml")
	return path, os.WriteFile(path, []byte(text), 0o600)
}

// feed moves the captures into the spool, as producers do: written elsewhere on
// the same file system, then renamed, the later ones first.
func feed(dir string, captures []string, ended <-chan error) error {
	incoming := filepath.Join(dir, "incoming")
	if err := await(ended, func() bool { _, err := os.Stat(incoming); return err == nil }); err != nil {
		return err
	}
	for i := len(captures) - 1; i >= 0; i-- {
		name := filepath.Base(captures[i])
		written := filepath.Join(dir, name)
		if err := copyFile(captures[i], written); err != nil {
			return err
		}
		say("$ mv %s %s/", name, incoming)
		if err := os.Rename(written, filepath.Join(incoming, name)); err != nil {
			return err
		}
	}
	return await(ended, func() bool { return lines(filepath.Join(dir, "logs", "spool.log")) >= len(captures) })
}

// await polls until ok, the daemon's end, or the end of patience.
func await(ended <-chan error, ok func() bool) error {
	deadline := time.Now().Add(patience)
	for !ok() {
		select {
		case err := <-ended:
			return fmt.Errorf("the daemon ended early: %w", err)
		case <-time.After(100 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return errors.New("the daemon takes too long")
		}
	}
	return nil
}

// stop ends the daemon as a service manager does.
func stop(daemon *exec.Cmd, ended <-chan error) error {
	say("$ kill -TERM %d", daemon.Process.Pid)
	if err := daemon.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	err := <-ended
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 128+int(syscall.SIGTERM) {
		return nil
	}
	return fmt.Errorf("the daemon did not stop cleanly: %w", err)
}

func show(dir string) error {
	for _, log := range []string{"conn", "anomaly", "kmeans", "weird", "spool", "stats"} {
		path := filepath.Join(dir, "logs", log+".log")
		n := lines(path)
		if n == 0 {
			say("\n%s has no lines", path)
			continue
		}
		say("\n%s has %d lines, the last of them:", path, n)
		last, err := lastLine(path)
		if err != nil {
			return err
		}
		fmt.Println(shorten(last, 600))
	}
	say("\nfiles that were read are in %s", filepath.Join(dir, "done"))
	return nil
}

func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n] + " …"
}

func lines(path string) (n int) {
	_ = eachLine(path, func(string) { n++ }) // no file, no lines
	return n
}

func lastLine(path string) (last string, err error) {
	err = eachLine(path, func(s string) { last = s })
	return last, err
}

func eachLine(path string, f func(string)) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // opened for reading
	r := bufio.NewReader(file)
	for {
		s, err := r.ReadString('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		f(strings.TrimSuffix(s, "\n"))
	}
}

func copyFile(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o600)
}

func say(format string, args ...any) { fmt.Printf(format+"\n", args...) }
