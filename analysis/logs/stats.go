package logs

// Stats is one line of stats.log: the heartbeat. Counters are since the last line.
type Stats struct {
	TS            float64 // wall clock
	Interval      float64 // seconds since the last line
	Packets       uint64
	Bytes         uint64
	Dropped       uint64
	Late          uint64
	BookErrors    uint64 // files and timelines whose books do not balance
	Conns         uint64 // connections that ended
	TCP, OneSided uint64 // TCP connections of Conns, and those of which one side was not captured
	ActiveConns   uint64
	ActivePairs   uint64
	LostPairs     uint64 // conversations for which a table of vectors had no room
	UnpairedPkts  uint64 // packets in no vector therefore
	UnflowedPkts  uint64 // packets in their vector's totals, but not among its flows
	UnlinkedPkts  uint64 // packets whose link had no room
	Unexpected    uint64 // announcements of connections for which there was no room
	Fragments     uint64
	Datagrams     uint64 // put together from fragments
	Expired       uint64 // datagrams that did not become whole in time
	Evicted       uint64 // datagrams given up for want of room
	EvictedConns  uint64 // connections ended early for want of room
	Unassembled   uint64 // sides whose reassembly was given up for it
	ShardPackets  []uint64
	Spool         uint64 // files seen and not yet retired
	OpenFiles     uint64
	Goroutines    uint64
	Done, Failed  uint64 // files
	HasWatermark  bool
	Watermark     float64 // event time up to which lines are in the logs
	Lag           float64 // seconds of wall clock behind the newest stamp's arrival
	CPU           float64 // seconds of CPU time, user and system
	Memory        uint64  // resident bytes
	Commits       uint64
	CommitSeconds float64 // spent committing
	KMeansSeconds float64 // spent on reports
	CommitError   string  // why commits are waiting; absent when they are not
}

// StatsStream is stats.log.
func StatsStream() Stream[Stats] { return statsStream }

var statsStream = newStream("stats", "The heartbeat. Counters say what happened since the line before.", []Column[Stats]{
	{Name: "ts", Type: Time, Doc: "wall clock",
		Append: func(b []byte, r *Stats) []byte { return appendFloat(b, r.TS) }},
	{Name: "interval", Type: Interval, Doc: "wall time since the line before",
		Append: func(b []byte, r *Stats) []byte { return appendFloat(b, r.Interval) }},
	{Name: "packets", Type: Number, Doc: "packets that the shards handled",
		Append: func(b []byte, r *Stats) []byte { return appendUint(b, r.Packets) }},
	{Name: "bytes", Type: Number, Doc: "their bytes on the wire",
		Append: func(b []byte, r *Stats) []byte { return appendUint(b, r.Bytes) }},
	{Name: "dropped", Type: Number, Doc: "records that were not handled; spool.log has the reasons",
		Append: func(b []byte, r *Stats) []byte { return appendUint(b, r.Dropped) }},
	{Name: "late", Type: Number, Doc: "records behind the watermark when their file was admitted",
		Append: func(b []byte, r *Stats) []byte { return appendUint(b, r.Late) }},
	{Name: "book_errors", Type: Number, Doc: "files whose records do not each have one fate, and timelines in which packets went astray: each is a bug, and the service's own log tells more; absent when there are none",
		Append: func(b []byte, r *Stats) []byte { return appendPositive(b, r.BookErrors) }},
	{Name: "conns", Type: Number, Doc: "connections that ended",
		Append: func(b []byte, r *Stats) []byte { return appendUint(b, r.Conns) }},
	{Name: "tcp_conns", Type: Number, Doc: "TCP connections among them",
		Append: func(b []byte, r *Stats) []byte { return appendUint(b, r.TCP) }},
	{Name: "one_sided", Type: Number, Doc: "of those, in which somebody answers a side of whom nothing was captured: many say that a tap sees one direction",
		Append: func(b []byte, r *Stats) []byte { return appendUint(b, r.OneSided) }},
	{Name: "active_conns", Type: Number, Doc: "connections open now",
		Append: func(b []byte, r *Stats) []byte { return appendUint(b, r.ActiveConns) }},
	{Name: "active_pairs", Type: Number, Doc: "conversations in the windows now",
		Append: func(b []byte, r *Stats) []byte { return appendUint(b, r.ActivePairs) }},
	{Name: "evicted_conns", Type: Number, Doc: "connections that ended early for want of room (`limits.memory`); `evicted` in conn.log says which",
		Append: func(b []byte, r *Stats) []byte { return appendUint(b, r.EvictedConns) }},
	{Name: "unassembled", Type: Number, Doc: "sides of connections whose reassembly was given up for want of room; `excessive_holes` in weird.log says which",
		Append: func(b []byte, r *Stats) []byte { return appendUint(b, r.Unassembled) }},
	{Name: "lost_pairs", Type: Number, Doc: "conversations that reports since the line before lack, because a table of vectors was full; those kept are a fair sample",
		Append: func(b []byte, r *Stats) []byte { return appendUint(b, r.LostPairs) }},
	{Name: "unpaired_packets", Type: Number, Doc: "packets that count in no vector because of that",
		Append: func(b []byte, r *Stats) []byte { return appendUint(b, r.UnpairedPkts) }},
	{Name: "unflowed_packets", Type: Number, Doc: "packets that count in the totals of their vector, but not among its flows, for which there was no room",
		Append: func(b []byte, r *Stats) []byte { return appendUint(b, r.UnflowedPkts) }},
	{Name: "unlinked_packets", Type: Number, Doc: "packets whose VLAN and MAC addresses are not known, because too many were; absent when none",
		Append: func(b []byte, r *Stats) []byte { return appendPositive(b, r.UnlinkedPkts) }},
	{Name: "lost_announcements", Type: Number, Doc: "connections that FTP announced (PORT, PASV) and that were not noted, because too many were at a time: they are not told to be `ftp-data`; absent when none",
		Append: func(b []byte, r *Stats) []byte { return appendPositive(b, r.Unexpected) }},
	{Name: "fragments", Type: Number, Doc: "fragments of IP datagrams that came to be put together",
		Append: func(b []byte, r *Stats) []byte { return appendUint(b, r.Fragments) }},
	{Name: "datagrams", Type: Number, Doc: "datagrams that were put together from them; each is a packet beside the records",
		Append: func(b []byte, r *Stats) []byte { return appendUint(b, r.Datagrams) }},
	{Name: "expired_datagrams", Type: Number, Doc: "datagrams that were not whole within five minutes, or at the end of input: no connection knows of them",
		Append: func(b []byte, r *Stats) []byte { return appendUint(b, r.Expired) }},
	{Name: "evicted_datagrams", Type: Number, Doc: "datagrams that were given up, the oldest first, because too many were not whole",
		Append: func(b []byte, r *Stats) []byte { return appendUint(b, r.Evicted) }},
	{Name: "shard_packets", Type: Numbers, Doc: "packets handled by each shard; absent when there are no shards",
		Append: func(b []byte, r *Stats) []byte {
			return appendList(b, r.ShardPackets, func(b []byte, n *uint64) []byte { return appendUint(b, *n) })
		}},
	{Name: "spool", Type: Number, Doc: "files in the spool that have not left it",
		Append: func(b []byte, r *Stats) []byte { return appendUint(b, r.Spool) }},
	{Name: "open_files", Type: Number, Doc: "files being read now",
		Append: func(b []byte, r *Stats) []byte { return appendUint(b, r.OpenFiles) }},
	{Name: "done", Type: Number, Doc: "files read to the end",
		Append: func(b []byte, r *Stats) []byte { return appendUint(b, r.Done) }},
	{Name: "failed", Type: Number, Doc: "files set aside",
		Append: func(b []byte, r *Stats) []byte { return appendUint(b, r.Failed) }},
	{Name: "watermark", Type: Time, Doc: "event time up to which lines are in the logs; absent before the first packet",
		Append: func(b []byte, r *Stats) []byte {
			if !r.HasWatermark {
				return b
			}
			return appendFloat(b, r.Watermark)
		}},
	{Name: "lag", Type: Interval, Doc: "wall time since the newest stamp that is in the logs arrived",
		Append: func(b []byte, r *Stats) []byte { return appendFloat(b, r.Lag) }},
	{Name: "cpu", Type: Interval, Doc: "CPU time used, user and system",
		Append: func(b []byte, r *Stats) []byte { return appendFloat(b, r.CPU) }},
	{Name: "memory", Type: Number, Doc: "resident bytes now",
		Append: func(b []byte, r *Stats) []byte { return appendUint(b, r.Memory) }},
	{Name: "goroutines", Type: Number, Doc: "goroutines of the process: many more than open files and shards mean a leak",
		Append: func(b []byte, r *Stats) []byte { return appendUint(b, r.Goroutines) }},
	{Name: "commits", Type: Number, Doc: "commits made",
		Append: func(b []byte, r *Stats) []byte { return appendUint(b, r.Commits) }},
	{Name: "commit_seconds", Type: Interval, Doc: "wall time spent in them",
		Append: func(b []byte, r *Stats) []byte { return appendFloat(b, r.CommitSeconds) }},
	{Name: "kmeans_seconds", Type: Interval, Doc: "wall time spent on reports",
		Append: func(b []byte, r *Stats) []byte { return appendFloat(b, r.KMeansSeconds) }},
	{Name: "commit_error", Type: String, Doc: "why commits are waiting; absent when they are not",
		Append: func(b []byte, r *Stats) []byte { return appendOptional(b, r.CommitError) }},
})
