package config

import (
	"strings"
	"time"
)

// field is one key: its name, what the dump says about it, and how a value
// gets in and out of a Config.
type field struct {
	key string // section.key
	doc string // one line for the operator
	in  func(*Config) value
}

// section is the part of the key before the dot, name the part behind it.
func (f field) section() string { s, _, _ := strings.Cut(f.key, "."); return s }
func (f field) name() string    { _, n, _ := strings.Cut(f.key, "."); return n }

const (
	day       = 24 * time.Hour
	maxSilent = 30 * day // beyond this a timeout is a typing error
)

// fields is every key there is, in the order of the dump. Bounds are wide: they
// catch a wrong unit, not a taste.
var fields = [...]field{
	{"spool.dirs", "directories that are watched; their sub-directories are sources of one timeline", func(c *Config) value { return paths{&c.Spool.Dirs} }},
	{"spool.done", "where files go that were read; same file system", func(c *Config) value { return path{&c.Spool.Done} }},
	{"spool.failed", "where files go that cannot be parsed; same file system", func(c *Config) value { return path{&c.Spool.Failed} }},
	{"spool.after", "what becomes of files that were read: done | delete | keep", func(c *Config) value {
		return choice[After]{&c.Spool.After, []After{AfterDone, AfterDelete, AfterKeep}}
	}},
	{"spool.settle", "rest that a file needs which was not moved in", func(c *Config) value { return duration{&c.Spool.Settle, 0, time.Hour} }},
	{"spool.duplicates", "copies of captures that were read, compared byte by byte: skip | read", func(c *Config) value {
		return choice[Duplicates]{&c.Spool.Duplicates, []Duplicates{DuplicatesSkip, DuplicatesRead}}
	}},
	{"spool.drop_cache", "what run has read need not stay in the page cache; false where other programs read the captures, too", func(c *Config) value { return boolean{&c.Spool.DropCache} }},
	{"spool.streams", "reads at once on each device, or \"auto\": one on spinning disks, any number on others", func(c *Config) value { return namedInteger{&c.Spool.Streams, 1024, []string{"auto"}} }},

	{"order.hold_back", "quiet time after which new files are admitted", func(c *Config) value { return duration{&c.Order.HoldBack, 0, time.Hour} }},
	{"order.idle", "silence after which a source is waited for no more", func(c *Config) value { return duration{&c.Order.Idle, 0, day} }},
	{"order.lateness", "a late file that ends further back than this is caught up on by itself", func(c *Config) value { return duration{&c.Order.Lateness, 0, day} }},
	{"order.window", "reorder window inside a file", func(c *Config) value { return duration{&c.Order.Window, 0, time.Minute} }},
	{"order.inside", "sort: repair disorder inside a file | file: take its records as they stand, as Zeek does", func(c *Config) value {
		return choice[Inside]{&c.Order.Inside, []Inside{InsideSort, InsideFile}}
	}},
	{"order.index", "first: trust that a file is in order | full: scan it first, and merge its stretches as if each were a file", func(c *Config) value {
		return choice[Index]{&c.Order.Index, []Index{IndexFirst, IndexFull}}
	}},

	{"shards.count", "how many track connections and vectors side by side; 0: one per core", func(c *Config) value { return integer[int]{&c.Shards.Count, 0, 1024} }},
	{"shards.hash", "what of a packet chooses its shard: 2-tuple | 4-tuple | 5-tuple", func(c *Config) value {
		return choice[Hash]{&c.Shards.Hash, []Hash{Hash2Tuple, Hash4Tuple, Hash5Tuple}}
	}},

	{"conn.tcp_inactivity", "silence that ends a TCP connection; this and the following in packet time, as Zeek's", func(c *Config) value { return timeout(&c.Conn.TCPInactivity) }},
	{"conn.udp_inactivity", "the same for UDP, and for a TCP handshake", func(c *Config) value { return timeout(&c.Conn.UDPInactivity) }},
	{"conn.icmp_inactivity", "for ICMP", func(c *Config) value { return timeout(&c.Conn.ICMPInactivity) }},
	{"conn.unknown_inactivity", "for any other IP protocol", func(c *Config) value { return timeout(&c.Conn.UnknownInactivity) }},
	{"conn.long_lived", "for sessions that people leave open: tcp ports 21, 22, 23, 513", func(c *Config) value { return timeout(&c.Conn.LongLived) }},
	{"conn.tcp_attempt_delay", "from a SYN that nobody answers to the record", func(c *Config) value { return timeout(&c.Conn.TCPAttemptDelay) }},
	{"conn.tcp_syn", "from the first packet of a TCP connection to the first check whether it has ended", func(c *Config) value { return timeout(&c.Conn.TCPSyn) }},
	{"conn.tcp_session", "between the checks after that", func(c *Config) value { return timeout(&c.Conn.TCPSession) }},
	{"conn.tcp_linger", "silence of a half-closed connection before a check ends it", func(c *Config) value { return timeout(&c.Conn.TCPLinger) }},
	{"conn.tcp_close_delay", "from a complete close to the record", func(c *Config) value { return timeout(&c.Conn.TCPCloseDelay) }},
	{"conn.dns", "silence that ends UDP on the ports of DNS", func(c *Config) value { return timeout(&c.Conn.DNS) }},
	{"conn.open_interval", "how often open_conn.log shows a connection that is still open, such as 1h; 0s: never", func(c *Config) value {
		return seldom{duration{&c.Conn.OpenInterval, time.Second, day}}
	}},
	{"conn.local_nets", "networks (CIDR) that conn.log calls local; empty: Zeek's private address space", func(c *Config) value { return prefixes{&c.Conn.LocalNets} }},
	{"conn.ignore_checksums", "true for captures with offloaded checksums", func(c *Config) value { return boolean{&c.Conn.IgnoreChecksums} }},
	{"conn.vlan", "true: vlan and inner_vlan in conn.log, of the first packet", func(c *Config) value { return boolean{&c.Conn.VLAN} }},
	{"conn.mac", "true: orig_l2_addr and resp_l2_addr in conn.log, of the first packet", func(c *Config) value { return boolean{&c.Conn.MAC} }},
	{"conn.uid_key", "any text, for uids that outsiders cannot compute", func(c *Config) value { return text{&c.Conn.UIDKey} }},

	{"vectors.pane", "stretch of event time; a report at the end of each", func(c *Config) value { return duration{&c.Vectors.Pane, time.Second, time.Hour} }},
	{"vectors.windows", "stretches of whole panes; each has a model and, where it holds more than a shorter one, a report; none: no vectors", func(c *Config) value {
		return durations{&c.Vectors.Windows, time.Second, day, 8}
	}},
	{"vectors.features", "what a vector holds: default | asura: its five numbers and share-of-cluster score, without a past", func(c *Config) value {
		return choice[Features]{&c.Vectors.Features, []Features{FeaturesDefault, FeaturesAsura}}
	}},
	{"vectors.sample", "conversations of each report that vectors.log shows, each up to 2 KB of memory for a moment; 0: none", func(c *Config) value { return integer[int]{&c.Vectors.Sample, 0, 1 << 20} }},
	{"vectors.full", "true: vectors.log has all features", func(c *Config) value { return boolean{&c.Vectors.Full} }},

	{"kmeans.k", "clusters: 1 to 64; \"auto\": up to 64, fewer while the baseline is small; \"search\": doubled from 4 as long as that brings new vectors nearer", func(c *Config) value {
		return namedInteger{&c.KMeans.K, 64, []string{"auto", "search"}}
	}},
	{"kmeans.seed", "of what is drawn at random; the same seed gives the same report", func(c *Config) value { return integer[uint64]{&c.KMeans.Seed, 0, 1<<63 - 1} }},
	{"kmeans.max_iterations", "of a fit", func(c *Config) value { return integer[int]{&c.KMeans.MaxIterations, 1, 100000} }},

	{"anomaly.budget", "false incidents per hour and window; at most anomaly.lines per report", func(c *Config) value { return number{&c.Anomaly.Budget, 0.001, 1e6} }},
	{"anomaly.mute", "how long an alert that comes again has no line of its own; 0s: it always has", func(c *Config) value { return duration{&c.Anomaly.Mute, 0, 30 * day} }},
	{"anomaly.lines", "most lines of a report", func(c *Config) value { return integer[int]{&c.Anomaly.Lines, 1, 10000} }},

	{"logs.dir", "where the logs are: conn.log and its siblings", func(c *Config) value { return path{&c.Logs.Dir} }},
	{"logs.format", "of all logs: json | tsv, which is Zeek's", func(c *Config) value {
		return choice[Format]{&c.Logs.Format, []Format{FormatJSON, FormatTSV}}
	}},
	{"logs.ts", "times in JSON: epoch: 1795238702.187611 | iso8601: \"2026-11-21T05:25:02.187611Z\"", func(c *Config) value {
		return choice[Times]{&c.Logs.TS, []Times{TimesEpoch, TimesISO8601}}
	}},
	{"logs.rotate", "local time, from midnight, after which a log's file becomes conn.2026-11-21-05-00-00.log; 0s: never", func(c *Config) value {
		return seldom{duration{&c.Logs.Rotate, time.Minute, 30 * day}}
	}},
	{"logs.rotate_size", "the same when a file has so much, such as \"1GiB\"; \"any\": whatever it has", func(c *Config) value { return size{&c.Logs.RotateSize, 1 << 10, "any"} }},
	{"logs.compress", "gzip for what was rotated, all but the newest of each log", func(c *Config) value { return boolean{&c.Logs.Compress} }},

	{"commit.interval", "lines reach the logs within two of these, or later where saving what is open would take more than 5 % of the time", func(c *Config) value {
		return duration{&c.Commit.Interval, 100 * time.Millisecond, time.Hour}
	}},
	{"commit.dir", "ledger, stage and what is open at a commit: as much as it takes in memory", func(c *Config) value { return path{&c.Commit.Dir} }},

	{"limits.memory", "what the process may take, such as \"4GiB\"; \"auto\": half of what the machine or its control group (version 2) has", func(c *Config) value { return size{&c.Limits.Memory, 64 << 20, "auto"} }},
	{"limits.open_files", "capture files open at once", func(c *Config) value { return integer[int]{&c.Limits.OpenFiles, 8, 1 << 20} }},

	{"status.listen", "where the status page, /metrics (Prometheus) and /healthz are: \"127.0.0.1:9477\", or the path of a socket; empty: nowhere. The page names files and addresses: where others have accounts, take a socket", func(c *Config) value { return listen{&c.Status.Listen} }},
	{"status.pprof", "true: /debug/pprof/ there, too", func(c *Config) value { return boolean{&c.Status.Pprof} }},
	{"status.control", "socket of pcapdird status, seal and the like; empty: control.sock in commit.dir", func(c *Config) value { return optionalPath{path{&c.Status.Control}} }},
}

// timeout is a duration that must be positive.
func timeout(p *time.Duration) value { return duration{p, time.Millisecond, maxSilent} }

// fieldOf finds a key's row.
func fieldOf(key string) (field, bool) {
	for _, f := range fields {
		if f.key == key {
			return f, true
		}
	}
	return field{}, false
}

// isSection says whether any key is in the section called name.
func isSection(name string) bool {
	for _, f := range fields {
		if f.section() == name {
			return true
		}
	}
	return false
}
