// Package systemd holds the unit and its companions to the daemon's defaults
// and to what systemd itself says of them.
package systemd

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pcapdir/daemon/config"
)

const binary = "/usr/bin/pcapdird"

// settings are the lines Key=value of the unit, in order.
func settings(t *testing.T) map[string][]string {
	t.Helper()
	got := map[string][]string{}
	for _, line := range lines(t, "pcapdir.service") {
		if key, v, ok := strings.Cut(line, "="); ok {
			got[key] = append(got[key], v)
		}
	}
	return got
}

// lines are those of a file that say something.
func lines(t *testing.T, name string) []string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var got []string
	for s := bufio.NewScanner(f); s.Scan(); {
		if line := strings.TrimSpace(s.Text()); line != "" && line[0] != '#' {
			got = append(got, line)
		}
	}
	return got
}

// analyze runs systemd-analyze on a copy of the unit whose commands exist.
func analyze(t *testing.T, args ...string) {
	t.Helper()
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed, so the unit is not checked against systemd")
	}
	exists, err := exec.LookPath("true")
	if err != nil {
		t.Skip("no `true` to stand in for the daemon")
	}
	unit, err := os.ReadFile("pcapdir.service")
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "pcapdir.service")
	text := strings.NewReplacer("ExecStart="+binary, "ExecStart="+exists, "ExecReload="+binary, "ExecReload="+exists).Replace(string(unit))
	if err := os.WriteFile(copied, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(tool, append(args, copied)...).CombinedOutput()
	if err != nil {
		t.Errorf("systemd-analyze %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	if args[0] != "verify" {
		return
	}
	// It prints what it dislikes and still exits 0; of other units on this
	// machine too, which are not our affair.
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "pcapdir") {
			t.Errorf("systemd-analyze verify: %s", line)
		}
	}
}

func TestVerify(t *testing.T) { analyze(t, "verify", "--man=no") }

// 0.2 is where the unit stands; half a point is where somebody has opened a hole.
func TestExposure(t *testing.T) { analyze(t, "security", "--offline=true", "--threshold=5") }

// What the daemon's exit codes and sockets mean to systemd.
func TestService(t *testing.T) {
	s := settings(t)
	for key, want := range map[string]string{
		"Type":                     "notify",
		"ExecStart":                binary + " run --config /etc/pcapdir/pcapdir.toml",
		"ExecReload":               binary + " reload --config /etc/pcapdir/pcapdir.toml",
		"Restart":                  "on-failure",
		"RestartPreventExitStatus": "2", // a wrong configuration must not loop
		"WatchdogSignal":           "SIGABRT",
		"User":                     "pcapdir",
	} {
		if len(s[key]) != 1 || s[key][0] != want {
			t.Errorf("%s is %q, want %q", key, s[key], want)
		}
	}
	if len(s["WatchdogSec"]) != 1 {
		t.Error("no WatchdogSec: a hang would last for ever")
	}
	if n, err := strconv.Atoi(s["LimitNOFILE"][0]); err != nil || n < 2*config.Default().Limits.OpenFiles {
		t.Errorf("LimitNOFILE is %q, which leaves no room beside limits.open_files", s["LimitNOFILE"])
	}
}

// Each default path is made by the unit or by tmpfiles, and is writable.
func TestDefaultPaths(t *testing.T) {
	c, s := config.Default(), settings(t)
	if want := "/var/lib/" + s["StateDirectory"][0]; c.Commit.Dir != want {
		t.Errorf("commit.dir is %s, StateDirectory is %s", c.Commit.Dir, want)
	}
	if want := "/var/log/" + s["LogsDirectory"][0]; c.Logs.Dir != want {
		t.Errorf("logs.dir is %s, LogsDirectory is %s", c.Logs.Dir, want)
	}
	var made []string
	for _, line := range lines(t, "tmpfiles.d/pcapdir.conf") {
		made = append(made, strings.Fields(line)[1])
	}
	for _, dir := range append(slices.Clone(c.Spool.Dirs), c.Spool.Done, c.Spool.Failed) {
		if !slices.Contains(made, dir) {
			t.Errorf("%s is a default, but tmpfiles.d does not make it", dir)
		}
		if !strings.HasPrefix(dir, s["ReadWritePaths"][0]+"/") {
			t.Errorf("%s is a default, but the unit may not write there", dir)
		}
	}
}

// Every user and group named in the unit and in tmpfiles is made by sysusers.
func TestUsers(t *testing.T) {
	made := []string{"root"}
	for _, line := range lines(t, "sysusers.d/pcapdir.conf") {
		made = append(made, strings.Fields(line)[1])
	}
	s := settings(t)
	named := append(slices.Clone(s["User"]), s["Group"]...)
	for _, line := range lines(t, "tmpfiles.d/pcapdir.conf") {
		named = append(named, strings.Fields(line)[3:5]...)
	}
	for _, name := range named {
		if !slices.Contains(made, name) {
			t.Errorf("%s is not made by sysusers.d", name)
		}
	}
}
