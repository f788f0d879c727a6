// Package config is what an operator can set: one struct per section of the
// TOML file, its defaults, and every problem of a file at once, each with its
// line. A key exists here only when it has an effect.
//
// A new key is a field below, its value in Default, and a row in fields.
package config

import (
	"cmp"
	"net/netip"
	"path/filepath"
	"time"
)

// Config is the effective configuration: the defaults, overlaid by a file, by
// --set. It holds values only; nothing in it is opened or looked up.
type Config struct {
	Spool   Spool
	Order   Order
	Shards  Shards
	Conn    Conn
	Vectors Vectors
	KMeans  KMeans
	Anomaly Anomaly
	Logs    Logs
	Commit  Commit
	Limits  Limits
	Status  Status

	// origin is where each key that was set came from, for problems that show
	// only when keys are looked at together.
	origin map[string]place
}

// After is what becomes of a capture file once its commit covers it.
type After string

// The fates of a file that was read to its end.
const (
	AfterDone   After = "done"   // renamed into Spool.Done
	AfterDelete After = "delete" // unlinked
	AfterKeep   After = "keep"   // left where it is
)

// Duplicates is what is done about copies of captures that were read.
type Duplicates string

// The ways to treat a copy.
const (
	DuplicatesSkip Duplicates = "skip" // put away, its packets are there
	DuplicatesRead Duplicates = "read" // read like any other file
)

// Spool says where capture files arrive and where they go. Paths are absolute.
type Spool struct {
	Dirs   []string      // watched; never empty, never one inside another
	Done   string        // read files, when After is AfterDone
	Failed string        // files that cannot be parsed, each beside its .reason
	After  After         // what becomes of a read file
	Settle time.Duration // how long a file that was not moved in must rest, wall time

	Duplicates Duplicates // skip or read
	DropCache  bool       // what a daemon has read leaves the page cache
	Streams    int        // reads at once on each device; 0: one on those that rotate, any number on others
}

// Inside is what is done about disorder between the records of one file.
type Inside string

// The two readings of a file's own order.
const (
	InsideSort Inside = "sort" // repaired up to Order.Window
	InsideFile Inside = "file" // taken as it stands, which is what Zeek does
)

// Index is how much of a file is looked at before its packets are merged.
type Index string

// The two ways to learn what times a file holds.
const (
	IndexFirst Index = "first" // its first records: one order inside each file
	IndexFull  Index = "full"  // all record headers: a file may be several stretches, each in order
)

// Order says how long to wait for what may still come.
type Order struct {
	HoldBack time.Duration // quiet time after which waiting files are admitted, wall time
	Idle     time.Duration // silence after which a source is waited for no more, wall time
	Lateness time.Duration // how far behind the others a late file may end and still join them, packet time
	Window   time.Duration // disorder that is repaired inside one file, packet time
	Inside   Inside        // sort or file
	Index    Index         // first or full; full wants Inside to be sort
}

// Hash names the part of a packet's 5-tuple that chooses its shard.
type Hash string

// The hashes; all are symmetric, so both directions meet on one shard.
const (
	Hash2Tuple Hash = "2-tuple" // the address pair
	Hash4Tuple Hash = "4-tuple" // and the ports
	Hash5Tuple Hash = "5-tuple" // and the protocol
)

// Shards says how packets are spread over cores.
type Shards struct {
	Count int  // 0: one per core
	Hash  Hash // what is hashed
}

// Conn holds Zeek's connection timeouts, all in packet time, and what else
// shapes conn.log. Defaults are those of Zeek 8.
type Conn struct {
	TCPInactivity     time.Duration // tcp_inactivity_timeout
	UDPInactivity     time.Duration // udp_inactivity_timeout; also a TCP handshake's
	ICMPInactivity    time.Duration // icmp_inactivity_timeout
	UnknownInactivity time.Duration // unknown_ip_inactivity_timeout
	LongLived         time.Duration // of TCP sessions that people leave open, as of Zeek's conn/inactivity.zeek
	TCPAttemptDelay   time.Duration // tcp_attempt_delay
	TCPSyn            time.Duration // tcp_SYN_timeout: the first periodic check
	TCPSession        time.Duration // tcp_session_timer: those after it
	TCPLinger         time.Duration // tcp_connection_linger
	TCPCloseDelay     time.Duration // tcp_close_delay
	DNS               time.Duration // dns_session_timeout

	OpenInterval time.Duration // how often open_conn.log shows a connection that is open; 0: never

	LocalNets       []netip.Prefix // Site::local_nets; empty: Zeek's private address space
	IgnoreChecksums bool           // Zeek's -C
	VLAN            bool           // vlan and inner_vlan in conn.log
	MAC             bool           // orig_l2_addr and resp_l2_addr in conn.log
	UIDKey          string         // keys the hash behind uids; empty: the fixed key
}

// Features names a set of flow-vector features.
type Features string

// The feature sets: those of package flowvec, scored against the past, and
// those of package asura, with its way to score.
const (
	FeaturesDefault Features = "default"
	FeaturesAsura   Features = "asura"
)

// Vectors says over what stretches of packet time flow vectors are built.
type Vectors struct {
	Pane     time.Duration   // a report at the end of each; whole seconds
	Windows  []time.Duration // distinct multiples of Pane, each with a model of its own
	Features Features        // which columns a vector has
	Sample   int             // conversations of each report in vectors.log
	Full     bool            // with all features
}

// KMeans holds the parameters of the clustering.
type KMeans struct {
	K             int    // clusters; 0: chosen from the size of the baseline, -1: by a search
	Seed          uint64 // of the generator; the same seed gives the same report
	MaxIterations int    // per fit
}

// Anomaly says how much an operator is willing to read.
type Anomaly struct {
	Budget float64       // false incidents per hour and window
	Mute   time.Duration // how long an alert that comes again has no line of its own
	Lines  int           // at most so many lines per report
}

// Format is how log lines are encoded.
type Format string

// The formats.
const (
	FormatJSON Format = "json" // one JSON object a line
	FormatTSV  Format = "tsv"  // Zeek's: a header, then values between tabs
)

// Times is how times are written in JSON.
type Times string

// The ways to write times.
const (
	TimesEpoch   Times = "epoch"   // a number: seconds since 1970
	TimesISO8601 Times = "iso8601" // a string, as Zeek's JSON::TS_ISO8601
)

// Logs says where log streams go.
type Logs struct {
	Dir    string // holds conn.log and its siblings under their live names
	Format Format // of every stream
	TS     Times  // in JSON

	Rotate     time.Duration // of local time, after which a log gets a new file; 0: never
	RotateSize int64         // bytes, from which on a log gets a new file; 0: any number
	Compress   bool          // rotated files but the newest of each log
}

// Commit says how often work becomes durable and visible.
type Commit struct {
	Interval time.Duration // wall time between commits, at least
	Dir      string        // holds the ledger, the stage and what is open at a commit
}

// Limits bounds what the process may hold.
type Limits struct {
	Memory    int64 // bytes that the process may take; 0: half of what there is
	OpenFiles int   // capture files open at once; the process's own limit also holds
}

// Status says where people and programs can ask how the daemon is doing.
type Status struct {
	Control string // the control socket; "": control.sock in Commit.Dir
	Listen  string // where metrics and health are served: a loopback address with a port, or the path of a socket; "": nowhere
	Pprof   bool   // Go's profiles, too
}

// ControlPath is where the control socket is.
func (c *Config) ControlPath() string {
	return cmp.Or(c.Status.Control, filepath.Join(c.Commit.Dir, "control.sock"))
}

// Default is the configuration of an empty file.
func Default() *Config {
	return &Config{
		Spool: Spool{
			Dirs:   []string{"/var/spool/pcapdir/incoming"},
			Done:   "/var/spool/pcapdir/done",
			Failed: "/var/spool/pcapdir/failed",
			After:  AfterDone,
			Settle: 5 * time.Second,

			Duplicates: DuplicatesSkip,
			DropCache:  true,
		},
		Order: Order{
			HoldBack: 10 * time.Second,
			Idle:     time.Minute,
			Lateness: 10 * time.Minute,
			Window:   100 * time.Millisecond,
			Inside:   InsideSort,
			Index:    IndexFirst,
		},
		Shards: Shards{Hash: Hash2Tuple},
		Conn: Conn{
			TCPInactivity:     5 * time.Minute,
			UDPInactivity:     time.Minute,
			ICMPInactivity:    time.Minute,
			UnknownInactivity: time.Minute,
			LongLived:         time.Hour,
			TCPAttemptDelay:   5 * time.Second,
			TCPSyn:            5 * time.Second,
			TCPSession:        6 * time.Second,
			TCPLinger:         5 * time.Second,
			TCPCloseDelay:     5 * time.Second,
			DNS:               10 * time.Second,
		},
		Vectors: Vectors{
			Pane:     time.Minute,
			Windows:  []time.Duration{time.Minute, 5 * time.Minute},
			Features: FeaturesDefault,
			Sample:   100,
		},
		KMeans:  KMeans{Seed: 1, MaxIterations: 100},
		Anomaly: Anomaly{Budget: 10, Mute: time.Hour, Lines: 5},
		Logs:    Logs{Dir: "/var/log/pcapdir", Format: FormatJSON, TS: TimesEpoch, Rotate: time.Hour, Compress: true},
		Commit:  Commit{Interval: 5 * time.Second, Dir: "/var/lib/pcapdir"},
		Limits:  Limits{OpenFiles: 256},
	}
}
