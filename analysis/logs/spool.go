package logs

// Spool is one line of spool.log: what became of one file.
type Spool struct {
	TS              float64 // wall clock, when the file was retired
	File            string
	Source          string // sub-directory of the spool; empty for the top
	ContentID       uint64 // printed as 16 hex digits
	Size            int64  // bytes on disk
	Format          string // pcap, pcapng, snoop; empty when unknown
	Compression     string // gzip, zstd and so on; empty for plain
	LinkTypes       []string
	HasTimes        bool // FirstTS and LastTS hold
	FirstTS, LastTS float64
	Packets, Bytes  uint64 // records read, and their captured bytes
	Late            uint64
	Inversions      uint64
	Lifted          uint64
	Suspect         uint64
	Tunneled        uint64
	Handled         uint64 // of Packets
	HandledBytes    uint64 // of Bytes
	Dropped         []Drop
	Outcome         string // done, failed, duplicate, catchup
	Reason          string // absent when empty
}

// Drop is how many records were dropped for one reason, and their captured bytes.
type Drop struct {
	Reason         string
	Packets, Bytes uint64
}

// SpoolStream is spool.log.
func SpoolStream() Stream[Spool] { return spoolStream }

var spoolStream = newStream("spool", "What became of one file.", []Column[Spool]{
	{Name: "ts", Type: Time, Doc: "wall clock when the file left the spool",
		Append: func(b []byte, r *Spool) []byte { return appendFloat(b, r.TS) }},
	{Name: "file", Type: String, Doc: "its name",
		Append: func(b []byte, r *Spool) []byte { return appendText(b, r.File) }},
	{Name: "source", Type: String, Doc: "sub-directory of the spool that it came in; absent for the top",
		Append: func(b []byte, r *Spool) []byte { return appendOptional(b, r.Source) }},
	{Name: "content_id", Type: String, Doc: "xxhash64 of the size and of the first and last 64 KiB, hexadecimal; of standard input and pipes a number",
		Append: func(b []byte, r *Spool) []byte { return appendHex16(b, r.ContentID) }},
	{Name: "size", Type: Number, Doc: "bytes on disk",
		Append: func(b []byte, r *Spool) []byte { return appendInt(b, r.Size) }},
	{Name: "format", Type: Enum, Doc: "pcap, pcapng or snoop; absent when neither",
		Append: func(b []byte, r *Spool) []byte { return appendOptional(b, r.Format) }},
	{Name: "compression", Type: Enum, Doc: "gzip, zstd, lz4, xz or bzip2; absent for a plain file",
		Append: func(b []byte, r *Spool) []byte { return appendOptional(b, r.Compression) }},
	{Name: "link_types", Type: Strings, Doc: "link types of its interfaces; absent when none was read",
		Append: func(b []byte, r *Spool) []byte {
			return appendList(b, r.LinkTypes, func(b []byte, s *string) []byte { return appendText(b, *s) })
		}},
	{Name: "first_ts", Type: Time, Doc: "least stamp of its records, suspect ones left out; absent when it has none",
		Append: func(b []byte, r *Spool) []byte {
			if !r.HasTimes {
				return b
			}
			return appendFloat(b, r.FirstTS)
		}},
	{Name: "last_ts", Type: Time, Doc: "greatest stamp of its records; absent likewise",
		Append: func(b []byte, r *Spool) []byte {
			if !r.HasTimes {
				return b
			}
			return appendFloat(b, r.LastTS)
		}},
	{Name: "packets", Type: Number, Doc: "records read",
		Append: func(b []byte, r *Spool) []byte { return appendUint(b, r.Packets) }},
	{Name: "bytes", Type: Number, Doc: "captured bytes of those records",
		Append: func(b []byte, r *Spool) []byte { return appendUint(b, r.Bytes) }},
	{Name: "late", Type: Number, Doc: "records behind the watermark when the file was admitted",
		Append: func(b []byte, r *Spool) []byte { return appendUint(b, r.Late) }},
	{Name: "inversions", Type: Number, Doc: "records with an earlier stamp than the one before them",
		Append: func(b []byte, r *Spool) []byte { return appendUint(b, r.Inversions) }},
	{Name: "tunneled", Type: Number, Doc: "packets that came out of tunnels in its records; absent when none",
		Append: func(b []byte, r *Spool) []byte { return appendPositive(b, r.Tunneled) }},
	{Name: "lifted", Type: Number, Doc: "records out of order within `order.window` that could not be put in order, since more packets lay there than limits.memory has room for; absent when none",
		Append: func(b []byte, r *Spool) []byte { return appendPositive(b, r.Lifted) }},
	{Name: "suspect", Type: Number, Doc: "records whose stamp is far from those of their neighbours; theirs is used instead",
		Append: func(b []byte, r *Spool) []byte { return appendUint(b, r.Suspect) }},
	{Name: "handled", Type: Number, Doc: "records that were handled: packets less all of dropped",
		Append: func(b []byte, r *Spool) []byte { return appendUint(b, r.Handled) }},
	{Name: "handled_bytes", Type: Number, Doc: "captured bytes of those records",
		Append: func(b []byte, r *Spool) []byte { return appendUint(b, r.HandledBytes) }},
	{Name: "dropped", Type: Counts, Doc: "records that were not handled, by reason; absent when there are none",
		Append: func(b []byte, r *Spool) []byte {
			return appendDropped(b, r.Dropped, func(d *Drop) uint64 { return d.Packets })
		}},
	{Name: "dropped_bytes", Type: Counts, Doc: "captured bytes of those records; absent likewise",
		Append: func(b []byte, r *Spool) []byte {
			return appendDropped(b, r.Dropped, func(d *Drop) uint64 { return d.Bytes })
		}},
	{Name: "outcome", Type: Enum, Doc: "done, failed, duplicate or catchup",
		Append: func(b []byte, r *Spool) []byte { return appendText(b, r.Outcome) }},
	{Name: "reason", Type: String, Doc: "why it failed, of what it is a copy, or what is odd about it; absent when nothing is",
		Append: func(b []byte, r *Spool) []byte { return appendOptional(b, r.Reason) }},
})

func appendDropped(dst []byte, drops []Drop, n func(*Drop) uint64) []byte {
	if len(drops) == 0 {
		return dst
	}
	for i := range drops {
		c := byte(',')
		if i == 0 {
			c = '{'
		}
		dst = append(appendText(append(dst, c), drops[i].Reason), ':')
		dst = appendUint(dst, n(&drops[i]))
	}
	return append(dst, '}')
}
