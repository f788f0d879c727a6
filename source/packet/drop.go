package packet

// Drop is the one fate of a record that is not handled: why its headers could
// not be used. Each reason is counted per file, in packets and in bytes.
type Drop uint8

// The reasons. Their names in logs are in dropNames; Zeek's name is used where
// Zeek has a weird for the same thing.
const (
	DropNone          Drop = iota
	DropEmpty              // zero bytes captured, or a wire length of zero
	DropLinkTruncated      // link header cut short
	DropNotIP              // a well-formed frame that carries no IP (ARP, LLDP, …)
	DropLinkType           // a link type that is not decoded
	DropIPVersion          // neither IPv4 nor IPv6 behind the link header
	DropIPTruncated        // IP header cut short
	DropIPHeaderLen        // IPv4 header length below 20 or beyond the packet
	DropIPLength           // IP length of zero, or beyond the frame
	DropIPChecksum         // IPv4 header checksum wrong
	DropFragment           // a fragment of an IP datagram
	DropNoNextHeader       // IPv6 with no next header
	DropNotTransport       // IPv6 whose chain ends in a header that hides the transport (ESP, mobility)
	DropTransport          // TCP, UDP or ICMP header cut short
	NumDrops
)

var dropNames = [NumDrops]string{
	DropNone:          "none",
	DropEmpty:         "empty_pcap_header",
	DropLinkTruncated: "truncated_link_header",
	DropNotIP:         "non_ip",
	DropLinkType:      "unknown_link_type",
	DropIPVersion:     "unknown_ip_version",
	DropIPTruncated:   "truncated_IP",
	DropIPHeaderLen:   "invalid_IP_header_size",
	DropIPLength:      "truncated_IP_len",
	DropIPChecksum:    "bad_IP_checksum",
	DropFragment:      "fragment",
	DropNoNextHeader:  "ipv6_no_next",
	DropNotTransport:  "no_transport",
	DropTransport:     "truncated_header",
}

// String is the reason's name in spool.log and weird.log.
func (d Drop) String() string { return dropNames[d] }

// Weird says whether the record is malformed rather than merely not ours, and
// so deserves a line in weird.log beside its count in spool.log.
func (d Drop) Weird() bool {
	switch d {
	case DropNone, DropNotIP, DropLinkType, DropFragment, DropNotTransport:
		return false
	default:
		return true
	}
}
