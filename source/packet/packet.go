// Package packet holds the vocabulary that every stage shares: times, the order
// of packets, decoded headers, drop reasons and batches. It is a leaf: it
// imports nothing of this module, and nothing in it allocates, locks or logs.
package packet

// Packet is what the decoder keeps of one packet: 128 bytes, no pointers, so a
// batch of them is one flat allocation that the garbage collector never scans.
//
// Which fields hold: the order fields (Eff, Rank, Rec) and TS always; the
// headers unless Drop is set; Seq, Ack, Win and TCPFlags for TCP only; UDPLen
// for UDP, and of TCP by DataPort. All numbers are in host byte order.
type Packet struct {
	Eff  Time   // effective time: what orders the packet and drives every clock
	TS   Time   // the record's own stamp unless Suspect, shown in every log field that shows one
	Rank uint64 // tie-break among equal Eff: see Order
	Rec  uint64 // number of the record in its file, from 0

	// Hash is the symmetric hash of the connection's endpoints and protocol
	// (ports only for TCP and UDP), seeded. Tables index by it.
	Hash uint64
	// Outer is the Hash of the innermost packet that carries this one through a
	// tunnel, or 0. Depth counts all that do.
	Outer uint64

	Src, Dst         Addr
	SrcPort, DstPort uint16 // TCP and UDP ports; ICMP type and code; else 0
	Proto            uint8  // IP protocol number of the transport header
	TTL              uint8  // IPv4 TTL or IPv6 hop limit
	TCPFlags         TCPFlags
	Drop             Drop // why the headers do not hold, or DropNone
	Depth            uint8
	App              App // what the payload looks like

	Flags   Flags
	UDPLen  uint16 // length field of the UDP header; of TCP see DataPort
	Win     uint16 // TCP window, unscaled
	Seq     uint32
	Ack     uint32
	IPLen   uint32 // bytes of the IP packet: IPv4 total length, IPv6 40 + payload length
	PayLen  uint32 // bytes behind the transport header, by the IP header
	CapLen  uint32 // of PayLen, how many were captured
	WireLen uint32 // bytes of the record on the wire, link header included
	Link    uint32 // number of the Link it was seen on, 0 for none or not wanted; 0 inside of tunnels
	Sub     uint32 // place among the packets of one record, if there are several: below 1 << SubBits
}

// DataPort is the port of its own at which the sender of an FTP message waits for a
// connection of the receiver, or 0.
func (p *Packet) DataPort() uint16 {
	if p.Proto != TCP {
		return 0
	}
	return p.UDPLen
}

// SetDataPort is for TCP only.
func (p *Packet) SetDataPort(port uint16) { p.UDPLen = port }

// SubBits is how many low bits of Order.Rec are Packet.Sub. It leaves room for
// 10^12 records in a file.
const SubBits = 24

// Order is the place of p in the one order of all packets. file is the content
// id of the file that p was read from.
func (p *Packet) Order(file uint64) Order {
	return Order{Eff: p.Eff, Rank: p.Rank, File: file, Rec: p.Rec<<SubBits | uint64(p.Sub)}
}

// Flags are properties of one packet.
type Flags uint16

const (
	// IPv6 says that the IP header was version 6. Addresses of IPv4 packets are v4-mapped.
	IPv6 Flags = 1 << iota
	// BadChecksum says that the TCP, UDP, ICMP or ICMPv6 checksum is wrong. It
	// is set only where the whole segment was captured.
	BadChecksum
	// BadTCPHeader says that the TCP data offset is less than 5 words or points
	// past the segment: Zeek looks the connection up, and changes nothing.
	BadTCPHeader
	// Late says that the packet's own stamp was behind the watermark when its
	// file was admitted, so that Eff was lifted.
	Late
	// Carrier says that the packet carries another one through a tunnel. Its own
	// Hash is that one's Outer.
	Carrier
	// TooDeep says that the packet is in as many tunnels as are followed, and
	// carries another one all the same.
	TooDeep
	// Fragmented says that the packet is a fragment on its way to be put together
	// with others. Its headers do not hold.
	Fragmented
	// Suspect says that the record's own stamp cannot be believed, and TS is
	// that of its neighbours.
	Suspect
)

// TCPFlags are the low eight flag bits of a TCP header (RFC 9293).
type TCPFlags uint8

// The flag bits.
const (
	FIN TCPFlags = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
	ECE
	CWR
)

// IP protocol numbers that the code names.
const (
	ICMP   = 1
	TCP    = 6
	UDP    = 17
	ICMPv6 = 58
)
