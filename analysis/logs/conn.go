package logs

import (
	"bytes"
	"slices"
)

// Conn is one line of conn.log: the fields of Zeek's, in Zeek's order, then ours.
// Times are float64 seconds, computed as Zeek computes them, so that the printed
// numbers are equal.
type Conn struct {
	TS           float64
	UID          UID
	OrigH, RespH [16]byte // IPv4 as v4-mapped
	OrigP, RespP uint16
	Proto        string // tcp, udp, icmp or unknown_transport
	Service      string // absent when empty; as Proto, ConnState, History and CommunityID nothing but printable ASCII, without quotes and backslashes

	// HasDuration says that Duration, OrigBytes and RespBytes are logged: Zeek
	// leaves all three out unless the duration is above zero.
	HasDuration          bool
	Duration             float64
	OrigBytes, RespBytes uint64

	ConnState            string
	LocalOrig, LocalResp bool
	MissedBytes          uint64
	History              []byte // absent when empty
	OrigPkts, OrigIP     uint64 // packets, and bytes of their IP packets
	RespPkts, RespIP     uint64
	TunnelParents        []UID // absent when empty
	IPProto              uint8
	CommunityID          []byte
	VLAN, InnerVLAN      uint16  // absent when 0
	OrigL2, RespL2       [6]byte // MAC addresses; absent when all zeros
	LatePkts             uint64  // packets behind the watermark when their file came; absent when 0
	Evicted              bool    // removed to stay within limits; absent when false
	CatchUp              bool    // of files that came too late for the others; absent when false
	AsOf                 float64 // of open_conn.log
}

// ConnStream is conn.log: Zeek's fields in Zeek's order (scripts/base/protocols/conn
// and policy/protocols/conn/{community-id,vlan,mac}-logging of Zeek 8), then ours.
func ConnStream() Stream[Conn] { return connStream }

var connStream = newStream("conn", "One connection, written when it has ended.", []Column[Conn]{
	{Name: "ts", Type: Time, Doc: "first packet",
		Append: func(b []byte, r *Conn) []byte { return appendFloat(b, r.TS) }},
	{Name: "uid", Type: String, Doc: "identifies the connection in every log; the same in every run over the same packets",
		Append: func(b []byte, r *Conn) []byte { return appendUID(b, r.UID) }},
	{Name: "id.orig_h", Type: Addr, Doc: "originator",
		Append: func(b []byte, r *Conn) []byte { return appendAddr(b, &r.OrigH) }},
	{Name: "id.orig_p", Type: Port, Doc: "its port; ICMP: the type",
		Append: func(b []byte, r *Conn) []byte { return appendUint(b, r.OrigP) }},
	{Name: "id.resp_h", Type: Addr, Doc: "responder",
		Append: func(b []byte, r *Conn) []byte { return appendAddr(b, &r.RespH) }},
	{Name: "id.resp_p", Type: Port, Doc: "its port; ICMP: the type of the reply, or the code where there is none",
		Append: func(b []byte, r *Conn) []byte { return appendUint(b, r.RespP) }},
	{Name: "proto", Type: Enum, Doc: "tcp, udp, icmp or unknown_transport",
		Append: func(b []byte, r *Conn) []byte { return appendWord(b, r.Proto) }},
	{Name: "service", Type: String, Doc: "application protocols, separated by commas; absent when none is known",
		Append: func(b []byte, r *Conn) []byte { return appendWord(b, r.Service) }},
	{Name: "duration", Type: Interval, Doc: "from the first packet to the last that counts; absent when not above zero",
		Append: func(b []byte, r *Conn) []byte {
			if !r.HasDuration {
				return b
			}
			return appendFloat(b, r.Duration)
		}},
	{Name: "orig_bytes", Type: Number, Doc: "payload from the originator, for TCP by sequence numbers; absent with duration",
		Append: func(b []byte, r *Conn) []byte {
			if !r.HasDuration {
				return b
			}
			return appendUint(b, r.OrigBytes)
		}},
	{Name: "resp_bytes", Type: Number, Doc: "payload from the responder, likewise",
		Append: func(b []byte, r *Conn) []byte {
			if !r.HasDuration {
				return b
			}
			return appendUint(b, r.RespBytes)
		}},
	{Name: "conn_state", Type: String, Doc: "S0, S1, SF, REJ, S2, S3, RSTO, RSTR, RSTOS0, RSTRH, SH, SHR or OTH, as Zeek defines them",
		Append: func(b []byte, r *Conn) []byte { return appendWord(b, r.ConnState) }},
	{Name: "local_orig", Type: Bool, Doc: "the originator is in a local network",
		Append: func(b []byte, r *Conn) []byte { return appendBool(b, r.LocalOrig) }},
	{Name: "local_resp", Type: Bool, Doc: "the responder is in a local network",
		Append: func(b []byte, r *Conn) []byte { return appendBool(b, r.LocalResp) }},
	{Name: "missed_bytes", Type: Number, Doc: "TCP payload that was acknowledged and never seen",
		Append: func(b []byte, r *Conn) []byte { return appendUint(b, r.MissedBytes) }},
	{Name: "history", Type: String, Doc: "what happened, a letter each, upper case for the originator; absent when empty",
		Append: func(b []byte, r *Conn) []byte { return appendWord(b, r.History) }},
	{Name: "orig_pkts", Type: Number, Doc: "packets from the originator",
		Append: func(b []byte, r *Conn) []byte { return appendUint(b, r.OrigPkts) }},
	{Name: "orig_ip_bytes", Type: Number, Doc: "bytes of its IP packets, by their length fields",
		Append: func(b []byte, r *Conn) []byte { return appendUint(b, r.OrigIP) }},
	{Name: "resp_pkts", Type: Number, Doc: "packets from the responder",
		Append: func(b []byte, r *Conn) []byte { return appendUint(b, r.RespPkts) }},
	{Name: "resp_ip_bytes", Type: Number, Doc: "bytes of its IP packets, by their length fields",
		Append: func(b []byte, r *Conn) []byte { return appendUint(b, r.RespIP) }},
	{Name: "tunnel_parents", Type: Strings, Doc: "uids of the tunnels it ran in; absent when none",
		Append: func(b []byte, r *Conn) []byte { return appendUIDs(b, r.TunnelParents) }},
	{Name: "ip_proto", Type: Number, Doc: "IP protocol number",
		Append: func(b []byte, r *Conn) []byte { return appendUint(b, r.IPProto) }},
	{Name: "community_id", Type: String, Doc: "Community ID flow hash, version 1, seed 0",
		Append: func(b []byte, r *Conn) []byte { return appendWord(b, r.CommunityID) }},
	{Name: "vlan", Type: Number, Doc: "outer VLAN of the first packet, with `conn.vlan`; absent when none",
		Append: func(b []byte, r *Conn) []byte { return appendPositive(b, uint64(r.VLAN)) }},
	{Name: "inner_vlan", Type: Number, Doc: "the VLAN inside of that; absent when none",
		Append: func(b []byte, r *Conn) []byte { return appendPositive(b, uint64(r.InnerVLAN)) }},
	{Name: "orig_l2_addr", Type: String, Doc: "MAC address of the originator's side, of the first packet, with `conn.mac`; absent when not known",
		Append: func(b []byte, r *Conn) []byte { return appendMAC(b, &r.OrigL2) }},
	{Name: "resp_l2_addr", Type: String, Doc: "that of the responder's side",
		Append: func(b []byte, r *Conn) []byte { return appendMAC(b, &r.RespL2) }},
	{Name: "late_pkts", Type: Number, Doc: "packets behind the watermark when their file was admitted; absent when none",
		Append: func(b []byte, r *Conn) []byte { return appendPositive(b, r.LatePkts) }},
	{Name: "evicted", Type: Bool, Doc: "true when it was removed early to stay within limits; else absent",
		Append: func(b []byte, r *Conn) []byte {
			return appendTrue(b, r.Evicted)
		}},
	{Name: "catchup", Type: Bool, Doc: "true when its packets came in files that were too old to join the others; else absent",
		Append: func(b []byte, r *Conn) []byte {
			return appendTrue(b, r.CatchUp)
		}},
})

// OpenConnStream is open_conn.log: conn.log's fields, of connections that have not
// ended, and as of when.
func OpenConnStream() Stream[Conn] { return openConnStream }

var openConnStream = newStream("open_conn", "One connection as it stands while it is open, again and again; its last word is in conn.log.",
	append(slices.Clone(connStream.Columns), Column[Conn]{Name: "as_of", Type: Time, Doc: "what was seen until then is counted",
		Append: func(b []byte, r *Conn) []byte { return appendFloat(b, r.AsOf) }}))

// AppendWithParents appends a line of conn.log that was made without tunnel_parents,
// with them.
func AppendWithParents(dst, line []byte, parents []UID) []byte {
	const next = `,"ip_proto":` // no text can hold that: quotes are escaped
	at := bytes.LastIndex(line, []byte(next))
	if at < 0 || len(parents) == 0 {
		return append(dst, line...)
	}
	dst = append(dst, line[:at]...)
	dst = append(dst, `,"tunnel_parents":`...)
	dst = appendUIDs(dst, parents)
	return append(dst, line[at:]...)
}

func appendUIDs(dst []byte, uids []UID) []byte {
	return appendList(dst, uids, func(b []byte, u *UID) []byte { return appendUID(b, *u) })
}
