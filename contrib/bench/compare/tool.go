package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// tool is a program that is compared.
type tool struct {
	name string
	does string // with a set
	// args is its command line for a set, output going to the directory out or nowhere;
	// nil: it cannot work on that.
	args    func(s *set, out string) []string
	version []string // command that says which it is
	path    string   // that is run; of ours, its name
}

// compared is to how many of ours all are compared.
const compared = 3

// ours are pcapdird's ways to work, and parts of its way.
func ours() []tool {
	return []tool{
		{name: "pcapdird", does: "order, connections, vectors, reports, logs", path: "pcapdird", args: read()},
		{name: "pcapdird, no vectors", does: "order, connections, logs", path: "pcapdird", args: read("vectors.windows=[]")},
		{name: "its order", does: "read, decode, hash, order, deal to shards", path: "stage", args: stage("order")},
		{name: "its reader", does: "read, decode, hash", path: "stage", args: stage("read")},
		{name: "a floor", does: "maps the files, touches 64 bytes of each packet", path: "stage", args: stage("touch")},
		{name: "pcapdird, 1 shard", does: "order, connections, vectors, reports, logs", path: "pcapdird", args: read("shards.count=1")},
	}
}

// stage is the command line of a part of pcapdird's way; of what is packed only the order
// can read.
func stage(name string) func(*set, string) []string {
	return func(s *set, _ string) []string {
		if s.packed && name != "order" {
			return nil
		}
		return append([]string{name}, s.paths...)
	}
}

// read is the command line of pcapdird that reads a set, with settings.
func read(settings ...string) func(*set, string) []string {
	return func(s *set, out string) []string {
		args := []string{"read", "--quiet", "--log-dir", out}
		for _, set := range settings {
			args = append(args, "--set", set)
		}
		return append(args, s.paths...)
	}
}

// each is the command line of a tool that takes one file, when that is all there is.
func each(args func(path, out string) []string) func(*set, string) []string {
	return func(s *set, out string) []string {
		if !s.plain() {
			return nil
		}
		return args(s.paths[0], out)
	}
}

// peers are the others. What they make is not the same: see does.
func peers(o *options) []tool {
	all := []tool{
		{name: "argus", does: "flow records, both directions", path: "argus", version: []string{"argus", "-h"},
			args: each(func(p, _ string) []string { return []string{"-X", "-r", p, "-w", "-"} })},
		{name: "nfpcapd", does: "flow records", path: "nfpcapd", version: []string{"nfpcapd", "-V"},
			args: each(func(p, out string) []string { return []string{"-r", p, "-w", out} })},
		{name: "gopacket, tuned", does: "connections, JSON, no order, no expiry", path: filepath.Join(o.dir, "gopacket"),
			args: each(func(p, _ string) []string { return []string{p} })},
		{name: "tracereport -F", does: "counts flows, no records", path: "tracereport",
			args: each(func(p, _ string) []string { return []string{"-F", "pcapfile:" + p} })},
		{name: "tracestats", does: "counts packets", path: "tracestats",
			args: each(func(p, _ string) []string { return []string{"pcapfile:" + p} })},
		{name: "tcpdump", does: "copies packets", path: "tcpdump", version: []string{"tcpdump", "--version"},
			args: each(func(p, _ string) []string { return []string{"-r", p, "-w", "/dev/null"} })},
		{name: "tshark", does: "conversations", path: "tshark", version: []string{"tshark", "--version"},
			args: each(func(p, _ string) []string { return []string{"-q", "-r", p, "-z", "conv,tcp"} })},
		{name: "mergecap", does: "order alone, copies packets", path: "mergecap", version: []string{"mergecap", "--version"},
			args: func(s *set, _ string) []string {
				if len(s.paths) == 1 {
					return nil
				}
				return append([]string{"-F", "pcap", "-w", "/dev/null"}, s.paths...)
			}},
	}
	if o.zeek != "" {
		all = append(all,
			tool{name: "zeek", does: "all of its default scripts", path: o.zeek, version: []string{o.zeek, "--version"},
				args: each(func(p, out string) []string { return []string{"-C", "-r", p, "Log::default_logdir=" + out} })},
			tool{name: "zeek, conn alone", does: "connections", path: o.zeek,
				args: each(func(p, out string) []string {
					return []string{"-C", "-b", "-r", p, "base/protocols/conn", "Log::default_logdir=" + out}
				})})
	}
	if o.suri != "" {
		all = append(all, tool{name: "suricata", does: "flows, application layer, no rules", path: o.suri, version: []string{o.suri, "-V"},
			args: each(func(p, out string) []string { return []string{"-r", p, "-l", out, "-S", "/dev/null"} })})
	}
	if o.asura != "" {
		all = append(all, tool{name: "asura", does: "five numbers per pair, k-means", path: o.asura,
			args: each(func(p, _ string) []string { return []string{p} })})
	}
	return all
}

// find sets the path of a tool, and says whether it is there and wanted.
func (t *tool) find(o *options) bool {
	if len(o.tools) > 0 && !wanted(t.name, o.tools) {
		return false
	}
	path, err := exec.LookPath(t.path)
	t.path = path
	return err == nil
}

func wanted(name string, names []string) bool {
	for _, n := range names {
		if strings.HasPrefix(name, n) {
			return true
		}
	}
	return false
}

// which is the first line of what the tool says of itself that has a number in it.
func (t *tool) which() string {
	if t.version == nil {
		return ""
	}
	text, _ := exec.Command(t.version[0], t.version[1:]...).CombinedOutput() // some exit with 1
	for line := range bytes.Lines(text) {
		if bytes.ContainsAny(line, "0123456789") {
			return strings.TrimSpace(string(line))
		}
	}
	return ""
}

// build makes a program of ours in o.dir, by the profile that pcapdird is built by: its
// parts have to be as fast as they are in it.
func build(o *options, name, pkg string) error {
	args := []string{"build", "-o", filepath.Join(o.dir, name)}
	profile, err := filepath.Abs(filepath.Join(o.root, "daemon/pcapdird/default.pgo"))
	if err != nil {
		return err
	}
	if _, err := os.Stat(profile); err == nil && name == "stage" && !strings.Contains(os.Getenv("GOFLAGS"), "-pgo=off") {
		args = append(args, "-pgo="+profile)
	}
	cmd := exec.Command("go", append(args, pkg)...)
	cmd.Dir, cmd.Stderr = o.root, os.Stderr
	return cmd.Run()
}
