package packet

// Fragment is a fragment of an IP datagram (RFC 791 section 2.3, RFC 8200
// section 4.5), captured to its last byte.
type Fragment struct {
	Src, Dst Addr
	ID       uint32
	IPv6     bool
	More     bool   // not the last fragment
	DF       bool   // IPv4: don't fragment, which a fragment has no business to say
	Proto    uint8  // of what the datagram carries; IPv6: what follows the fragment header
	Offset   uint32 // of Payload in the datagram's, in bytes; a multiple of 8
	// Header is what all fragments repeat: the IPv4 header with its options, or
	// the IPv6 header with the extension headers ahead of the fragment header.
	Header []byte
	// NextAt is the place in Header, in IPv6, of the byte that names the fragment
	// header: reassembled, it names what follows that.
	NextAt  int
	Payload []byte
}
