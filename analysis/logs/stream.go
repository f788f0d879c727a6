package logs

// Type is the type of a column, in Zeek's words where Zeek has one.
type Type string

// The types. What each looks like in JSON:
const (
	Time     Type = "time"                    // number, seconds since 1970
	Interval Type = "interval"                // number, seconds
	String   Type = "string"                  // string
	Enum     Type = "enum"                    // string out of a small set
	Addr     Type = "addr"                    // string, RFC 5952 for IPv6
	Port     Type = "port"                    // number
	Number   Type = "count"                   // whole number
	Double   Type = "double"                  // number with a point or an exponent
	Bool     Type = "bool"                    // true or false
	Strings  Type = "set[string]"             // list of strings
	Numbers  Type = "vector[count]"           // list of whole numbers
	Records  Type = "vector[record]"          // list of objects
	Counts   Type = "table[string] of count"  // object, name to whole number
	Values   Type = "table[string] of double" // object, name to number
)

// Column is one field of the lines of a stream.
type Column[T any] struct {
	Name string
	Type Type
	Doc  string // one line of the stream's page in doc/

	// Append appends the JSON value of the field to dst, or nothing when the
	// field of rec is unset. It keeps neither and allocates nothing.
	Append func(dst []byte, rec *T) []byte

	key    string // what goes before the value: ,"name":
	padded [keyRoom]byte
}

// keyRoom is what nearly every key fits in: so much is copied in two moves, where as
// much as it has takes a call.
const keyRoom = 24

// Stream is one log: its name and the fields of its lines in order. Streams are
// not changed once made and may be shared.
type Stream[T any] struct {
	Name    string // of the log: "conn" goes to conn.log
	Doc     string // what a line stands for
	Columns []Column[T]
}

// Names are the logs that there are.
var Names = [...]string{
	ConnStream().Name, OpenConnStream().Name, SpoolStream().Name, AnomalyStream().Name, KMeansStream().Name,
	VectorStream().Name, WeirdStream().Name, CoverageStream().Name, StatsStream().Name,
}

func newStream[T any](name, doc string, columns []Column[T]) Stream[T] {
	for i := range columns {
		columns[i].key = `,"` + columns[i].Name + `":`
		copy(columns[i].padded[:], columns[i].key)
	}
	return Stream[T]{Name: name, Doc: doc, Columns: columns}
}

// Append appends the line of rec, with its newline, to dst: flat dotted keys in
// column order, unset fields left out, as Zeek's JSON writer does. It keeps
// neither argument and allocates only when dst is too small.
func (s Stream[T]) Append(dst []byte, rec *T) []byte {
	start := len(dst)
	for i := range s.Columns {
		c := &s.Columns[i]
		mark := len(dst)
		if len(c.key) <= keyRoom && cap(dst)-mark >= keyRoom {
			*(*[keyRoom]byte)(dst[mark : mark+keyRoom]) = c.padded
			dst = dst[:mark+len(c.key)]
		} else {
			dst = append(dst, c.key...)
		}
		value := len(dst)
		if dst = c.Append(dst, rec); len(dst) == value {
			dst = dst[:mark]
		}
	}
	if len(dst) == start {
		dst = append(dst, ',')
	}
	dst[start] = '{' // in the place of the first key's comma
	return append(dst, '}', '\n')
}
