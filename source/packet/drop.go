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
	DropFragment           // a fragment of an IP datagram that was captured short
	DropNoNextHeader       // IPv6 with no next header
	DropNotTransport       // IPv6 whose chain ends in a header that hides the transport (ESP, mobility)
	DropTransport          // TCP, UDP or ICMP header cut short
	NumDrops
)

// What is odd about a fragment, or about what a tunnel carries, is no fate of its
// record, which is handled all the same: it is the Drop of a packet that only
// stands for the oddity.
const (
	OddFragmentOverlap       = NumDrops + iota // bytes sent twice, alike
	OddFragmentInconsistency                   // bytes sent twice, not alike
	OddFragmentSize                            // fragments disagree on where the datagram ends
	OddFragmentProtocol                        // fragments disagree on what it carries, or on their headers' length
	OddFragmentDF                              // a fragment that says don't fragment
	OddFragmentSmall                           // not the last, and below 64 bytes
	OddFragmentLarge                           // reaches beyond 64 000 bytes

	// About the packet in a tunnel.
	OddInnerTruncated // it is longer than what the tunnel's packet has room for
	OddInnerLength    // it is shorter, though it has to fill it
	OddTunnelDepth    // more tunnels in each other than are followed
	endOfOdd
)

var dropNames = [endOfOdd]string{
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
	DropFragment:      "incompletely_captured_fragment",
	DropNoNextHeader:  "ipv6_no_next",
	DropNotTransport:  "no_transport",
	DropTransport:     "truncated_header",

	OddFragmentOverlap:       "fragment_overlap",
	OddFragmentInconsistency: "fragment_inconsistency",
	OddFragmentSize:          "fragment_size_inconsistency",
	OddFragmentProtocol:      "fragment_protocol_inconsistency",
	OddFragmentDF:            "fragment_with_DF",
	OddFragmentSmall:         "excessively_small_fragment",
	OddFragmentLarge:         "excessively_large_fragment",

	OddInnerTruncated: "truncated_inner_IP",
	OddInnerLength:    "inner_IP_payload_length_mismatch",
	OddTunnelDepth:    "exceeded_tunnel_max_depth",
}

// String is the reason's name in spool.log and weird.log.
func (d Drop) String() string { return dropNames[d] }

// Weird says whether the record is malformed rather than merely not ours, and
// so deserves a line in weird.log beside its count in spool.log.
func (d Drop) Weird() bool {
	switch d {
	case DropNone, DropNotIP, DropLinkType, DropNotTransport:
		return false
	default:
		return true
	}
}
