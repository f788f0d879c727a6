package packet

// Link is where on the link layer a packet was seen. A VLAN of 0 is none, and so is
// an address of zeros.
type Link struct {
	Src, Dst    [6]byte // MAC addresses, in the frame's order
	VLAN, Inner uint16  // identifiers of the outermost tag and of the next (IEEE 802.1Q)
}
