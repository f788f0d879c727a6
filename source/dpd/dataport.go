package dpd

import (
	"bytes"
	"net/netip"
	"strconv"

	"pcapdir/source/packet"
)

// MayInvite is a quick look whether a payload can have a DataPort.
func MayInvite(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	switch b[0] {
	case 'P', 'p', 'E', 'e', '2':
		return true
	}
	return false
}

// mostLines is how many lines of a payload are looked at for a DataPort.
const mostLines = 16

// DataPort is the port that an FTP message from an address gives for data, where that
// is at the same address, or 0: the commands PORT and EPRT of a client, the replies 227
// and 229 of a server (RFC 959, RFC 2428). Of a payload the last one counts, before the
// first line that is neither a command nor a reply.
func DataPort(b []byte, from *packet.Addr) (port uint16) {
	for range mostLines {
		line, rest, whole := bytes.Cut(b, []byte("\n"))
		if !whole {
			break
		}
		line = bytes.TrimLeft(bytes.TrimRight(line, "\r"), " \t")
		command, _ := word(line)
		if !mayBeFTP(command) {
			break
		}
		if p := invitation(command, line[len(command):], from); p != 0 {
			port = p
		}
		b = rest
	}
	return port
}

// mayBeFTP says that the first word of a line is a command, of three or four letters, or
// the code of a reply, of three digits.
func mayBeFTP(command []byte) bool {
	letters, digits := 0, 0
	for _, c := range command {
		switch {
		case 'A' <= c&^0x20 && c&^0x20 <= 'Z':
			letters++
		case '0' <= c && c <= '9':
			digits++
		default:
			return digits == 3 && letters == 0 && c == '-'
		}
	}
	return digits == 0 && (letters == 3 || letters == 4) || digits == 3 && letters == 0
}

// invitation is the port that one line gives, a command and the text behind it.
func invitation(command, text []byte, from *packet.Addr) uint16 {
	text = bytes.TrimLeft(text, " \t")
	switch {
	case equalFold(command, "PORT"):
		return hostPort(text, from)
	case equalFold(command, "EPRT"):
		return extended(text, from)
	case string(command) == "227":
		return hostPort(text[numbersIn(text):], from)
	case string(command) == "229":
		if _, inside, ok := bytes.Cut(text, []byte("(")); ok {
			return extended(inside, from)
		}
	}
	return 0
}

// numbersIn is where the six numbers of a reply to PASV begin, of which RFC 959 does not
// say how they are set off: behind a parenthesis or, where there is none, with the number
// before the first comma, as Zeek has it.
func numbersIn(text []byte) int {
	if i := bytes.IndexByte(text, '('); i >= 0 {
		return i + 1
	}
	i := max(0, bytes.IndexByte(text, ','))
	for i > 0 && '0' <= text[i-1] && text[i-1] <= '9' {
		i--
	}
	return i
}

// hostPort reads h1,h2,h3,h4,p1,p2.
func hostPort(text []byte, from *packet.Addr) uint16 {
	var n [6]byte
	for i := range n {
		v := leadingNumber(text)
		if v < 0 || v > 255 {
			return 0
		}
		n[i] = byte(v)
		text = bytes.TrimLeft(text, "0123456789")
		if i < len(n)-1 {
			if len(text) == 0 || text[0] != ',' {
				return 0
			}
			text = text[1:]
		}
	}
	if packet.AddrFrom4([4]byte(n[:4])) != *from {
		return 0
	}
	return uint16(n[4])<<8 | uint16(n[5])
}

// extended reads |family|address|port|, with any delimiter. What is left out is as it is
// for the connection of the message itself.
func extended(text []byte, from *packet.Addr) uint16 {
	if len(text) == 0 {
		return 0
	}
	fields := bytes.SplitN(text[1:], text[:1], 4)
	if len(fields) < 4 {
		return 0
	}
	if host := fields[1]; len(host) > 0 {
		addr, err := netip.ParseAddr(string(host))
		if err != nil || packet.Addr(addr.As16()) != *from {
			return 0
		}
	}
	port, err := strconv.ParseUint(string(fields[2]), 10, 16)
	if err != nil {
		return 0
	}
	return uint16(port)
}
