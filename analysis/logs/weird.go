package logs

// Weird is one line of weird.log: one kind of oddity within one interval of
// event time, counted, with the first of its kind as the example.
type Weird struct {
	TS           float64 // of the first
	UID          UID     // absent when zero
	HasID        bool    // the endpoints hold
	OrigH, RespH [16]byte
	OrigP, RespP uint16
	Name         string
	Count        uint64
}

// WeirdStream is weird.log.
func WeirdStream() Stream[Weird] { return weirdStream }

var weirdStream = newStream("weird", "One kind of oddity within one interval of event time, with the first of its kind as the example.", []Column[Weird]{
	{Name: "ts", Type: Time, Doc: "the first of them",
		Append: func(b []byte, r *Weird) []byte { return appendFloat(b, r.TS) }},
	{Name: "uid", Type: String, Doc: "its connection; absent when it belongs to none",
		Append: func(b []byte, r *Weird) []byte {
			if r.UID == (UID{}) {
				return b
			}
			return appendUID(b, r.UID)
		}},
	{Name: "id.orig_h", Type: Addr, Doc: "its sender, or the originator of its connection; the four are absent when unknown",
		Append: func(b []byte, r *Weird) []byte {
			if !r.HasID {
				return b
			}
			return appendAddr(b, &r.OrigH)
		}},
	{Name: "id.orig_p", Type: Port, Doc: "the port there",
		Append: func(b []byte, r *Weird) []byte {
			if !r.HasID {
				return b
			}
			return appendUint(b, r.OrigP)
		}},
	{Name: "id.resp_h", Type: Addr, Doc: "the other end",
		Append: func(b []byte, r *Weird) []byte {
			if !r.HasID {
				return b
			}
			return appendAddr(b, &r.RespH)
		}},
	{Name: "id.resp_p", Type: Port, Doc: "the port there",
		Append: func(b []byte, r *Weird) []byte {
			if !r.HasID {
				return b
			}
			return appendUint(b, r.RespP)
		}},
	{Name: "name", Type: String, Doc: "what is odd, in Zeek's word where Zeek has one",
		Append: func(b []byte, r *Weird) []byte { return appendText(b, r.Name) }},
	{Name: "count", Type: Number, Doc: "how many there were in the interval",
		Append: func(b []byte, r *Weird) []byte { return appendUint(b, r.Count) }},
})
