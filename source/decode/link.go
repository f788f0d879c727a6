package decode

import (
	"cmp"
	"strconv"
	"strings"

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
	10:  {"FDDI", fddi},
	12:  {"RAW", raw}, // DLT_RAW of most systems, when written as it is
	14:  {"RAW", raw}, // the same on OpenBSD
	50:  {"PPP_SERIAL", pppSerial},
	51:  {"PPP_ETHER", pppoe},
	101: {"RAW", raw},
	104: {"C_HDLC", ciscoHDLC},
	105: {"IEEE802_11", wlan},
	107: {"FRELAY", frameRelay},
	108: {"LOOP", loop},
	113: {"LINUX_SLL", cooked},
	119: {"PRISM_HEADER", prism},
	122: {"IP_OVER_FC", ipOverFC},
	127: {"IEEE802_11_RADIO", radiotap},
	163: {"IEEE802_11_RADIO_AVS", avs},
	192: {"PPI", ppi},
	219: {"MPLS", mpls},
	228: {"IPV4", raw},
	229: {"IPV6", raw},
	239: {"NFLOG", nflog},
	276: {"LINUX_SLL2", cooked2},
}

// refused are the names of link types that people meet and that carry no IP, or
// none that is decoded.
var refused = map[uint16]string{
	3: "AX25", 6: "IEEE802_5", 7: "ARCNET_BSD", 100: "ATM_RFC1483", 109: "ENC", 117: "PFLOG", 123: "SUNATM", 138: "APPLE_IP_OVER_IEEE1394",
	143: "DOCSIS", 147: "USER0", 166: "PPP_PPPD", 177: "LINUX_LAPD", 187: "BLUETOOTH_HCI_H4", 189: "USB_LINUX",
	195: "IEEE802_15_4_WITHFCS", 197: "ERF", 201: "BLUETOOTH_HCI_H4_WITH_PHDR", 203: "LAPD", 209: "IPMB_LINUX",
	220: "USB_LINUX_MMAPPED", 224: "FC_2", 227: "CAN_SOCKETCAN", 230: "IEEE802_15_4_NOFCS", 240: "NETANALYZER", 242: "IPOIB", 247: "INFINIBAND",
	248: "SCTP", 249: "USBPCAP", 251: "BLUETOOTH_LE_LL", 252: "WIRESHARK_UPPER_PDU", 253: "NETLINK", 254: "BLUETOOTH_LINUX_MONITOR",
	256: "BLUETOOTH_LE_LL_WITH_PHDR", 272: "DSA_TAG_BRCM", 280: "DOCSIS31_XRA31", 283: "IEEE802_15_4_TAP",
}

// Known says whether records of the link type can be decoded at all.
func Known(linkType uint16) bool {
	return int(linkType) < len(links) && links[linkType].skip != nil
}

// LinkTypeName is the link type as libpcap names it ("EN10MB"), or its number
// where it has no name here.
func LinkTypeName(linkType uint16) string {
	if Known(linkType) {
		return links[linkType].name
	}
	return cmp.Or(refused[linkType], strconv.Itoa(int(linkType)))
}

// LinkTypeNumbers are link types by name and number, for people.
func LinkTypeNumbers(linkTypes []uint16) string {
	var names []string
	for _, t := range linkTypes {
		name, number := LinkTypeName(t), strconv.Itoa(int(t))
		if name != number {
			number = name + " (" + number + ")"
		}
		names = append(names, number)
	}
	return strings.Join(names, ", ")
}
