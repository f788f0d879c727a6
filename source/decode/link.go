package decode

import (
	"strconv"

	"pcapdir/source/packet"
)

// link is one row of the link-type table.
type link struct {
	name string // as libpcap names it, without DLT_
	// skip finds the IP header: its offset in data, which is not empty. The
	// offset is at most len(data).
	skip func(data []byte) (off int, drop packet.Drop)
}

// links is the link-type table: LINKTYPE number to name and decoder. A new link
// type is one row here and one file (or a function in its family's file).
// Indexed rather than searched: it is looked at for every packet.
var links = [...]link{
	0:   {"NULL", null},
	1:   {"EN10MB", ethernet},
	9:   {"PPP", ppp},
	12:  {"RAW", raw}, // DLT_RAW of most systems, when written as it is
	14:  {"RAW", raw}, // the same on OpenBSD
	50:  {"PPP_SERIAL", pppSerial},
	101: {"RAW", raw},
	108: {"LOOP", loop},
	113: {"LINUX_SLL", cooked},
	228: {"IPV4", raw},
	229: {"IPV6", raw},
	276: {"LINUX_SLL2", cooked2},
}

// Known says whether records of the link type can be decoded at all.
func Known(linkType uint16) bool {
	return int(linkType) < len(links) && links[linkType].skip != nil
}

// LinkTypeName is the link type as libpcap names it ("EN10MB"), or its number
// where it is not decoded here.
func LinkTypeName(linkType uint16) string {
	if Known(linkType) {
		return links[linkType].name
	}
	return strconv.Itoa(int(linkType))
}
