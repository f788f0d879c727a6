package dpd

import (
	"bytes"
	"strings"

	"pcapdir/source/packet"
)

// methods are those by which Zeek knows a request on any port (RFC 9110, WebDAV and
// its relatives), by their first letter.
var methods = [256][]string{
	'A': {"ACL"}, 'B': {"BASELINE-CONTROL", "BCOPY", "BDELETE", "BMOVE", "BPROPFIND", "BPROPPATCH"},
	'C': {"CONNECT", "COPY", "CHECKOUT", "CHECKIN"}, 'D': {"DELETE"}, 'G': {"GET"}, 'H': {"HEAD"}, 'L': {"LOCK", "LABEL"},
	'M': {"MKCOL", "MOVE", "MKWORKSPACE", "MERGE", "MKACTIVITY"}, 'N': {"NOTIFY"}, 'O': {"OPTIONS", "ORDERPATCH"},
	'P': {"POST", "PUT", "PROPFIND", "PROPPATCH", "PATCH", "POLL"}, 'Q': {"QUERY"}, 'R': {"REPORT", "RPC_OUT_DATA", "RPC_IN_DATA"},
	'S': {"SEARCH", "SUBSCRIBE"}, 'T': {"TRACE"}, 'U': {"UNLOCK", "UNCHECKOUT", "UPDATE", "UNSUBSCRIBE"}, 'V': {"VERSION-CONTROL"},
	'X': {"X-MS-ENUMATTS"},
}

// hasMethod says whether b begins with one of them.
func hasMethod(b []byte) bool {
	for _, m := range methods[b[0]] {
		if len(b) >= len(m) && string(b[:len(m)]) == m {
			return true
		}
	}
	return false
}

var httpVersion = []byte("HTTP/")

// http looks at the first line.
func http(b []byte, w where) packet.App {
	if bytes.HasPrefix(b, httpVersion) {
		return statusLine(b)
	}
	if w == fromServer {
		return packet.AppNone
	}
	if w == anywhere && !hasMethod(b) {
		return packet.AppNone
	}
	line, whole := lineOf(b)
	return requestLine(line, whole)
}

// requestLine is a method, a target and the version; without a version it is HTTP
// 0.9, whose method has three letters at least. What the rest of a line will be
// that goes on in the next segment is not held against it.
func requestLine(line []byte, whole bool) packet.App {
	end := 0
	for end < len(line) && inMethod[line[end]] {
		end++
	}
	method, rest := line[:end], bytes.TrimLeft(line[end:], " \t")
	switch {
	case end == 0, len(rest) == len(line)-end, string(line) == "PRI * HTTP/2.0": // RFC 9113 begins so, and is not followed
		return packet.AppNone
	case equalFold(method, "CONNECT"):
		return httpConnect
	case !whole, bytes.HasPrefix(rest, httpVersion), bytes.Contains(rest, []byte(" HTTP/")), bytes.Contains(rest, []byte("\tHTTP/")):
		return httpRequest
	case end >= 3 && len(rest) > 0:
		return httpOld
	}
	return packet.AppNone
}

// inMethod says which bytes may be in a method (RFC 2616 section 2.2).
var inMethod = func() (t [256]bool) {
	for c := byte('!'); c < 0x7f; c++ {
		t[c] = !strings.ContainsRune(`()<>@,;:\"/[]?={}`, rune(c))
	}
	return t
}()

// statusLine is a version and a code of three bytes.
func statusLine(b []byte) packet.App {
	line, whole := lineOf(b)
	_, code, _ := bytes.Cut(line, []byte(" "))
	code = bytes.TrimLeft(code, " \t")
	if len(code) < 3 && whole {
		return packet.AppNone
	}
	h := httpHead(b)
	switch status := number(code); {
	case status == 101 && h.webSocket:
		return httpUpgrade
	case status/100 == 1 || status == 204 || status == 304:
		h.length = 0
	}
	if h.overrun(bytes.HasPrefix(line, []byte("HTTP/1.0"))) {
		return httpOverrun
	}
	return httpReply
}

// head is what the header fields of a reply say of what follows.
type head struct {
	webSocket bool   // RFC 6455 section 4.2.2
	chunked   bool   // RFC 9112 section 7.1
	length    int    // of the body, -1 if not said; of several the last counts, as in Zeek
	rest      []byte // behind the fields, as far as it is there
}

func httpHead(b []byte) head {
	h := head{length: -1}
	for len(b) > 0 {
		var line []byte
		line, b, _ = bytes.Cut(b, []byte("\n"))
		if line = bytes.TrimRight(line, "\r"); len(line) == 0 {
			h.rest = b
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case equalFold(name, "UPGRADE"):
			h.webSocket = equalFold(value, "WEBSOCKET")
		case equalFold(name, "TRANSFER-ENCODING"):
			h.chunked = equalFold(value, "CHUNKED")
		case equalFold(name, "CONTENT-LENGTH"):
			h.length = leadingNumber(value)
		}
	}
	return h
}

// overrun says whether something follows the body that is no reply. HTTP 1.0 has no
// chunks, and replies to HEAD have no body, whatever they say of its length.
func (h head) overrun(old bool) bool {
	if h.length < 0 || len(h.rest) <= h.length || h.chunked && !old || bytes.HasPrefix(h.rest, httpVersion) {
		return false
	}
	after := bytes.TrimLeft(h.rest[h.length:], "\r\n")
	return len(after) > 0 && !bytes.HasPrefix(after, httpVersion[:min(len(after), len(httpVersion))])
}

// hearHTTP confirms by a request that a client begins with. A tunnel that CONNECT
// asked for speaks what it likes.
func hearHTTP(s *Speech, v *voice) {
	switch v.app {
	case httpRequest, httpOld, httpConnect:
		if v.role == orig && v.first && !is(s.looks[resp], other) {
			v.confirm(v.app)
		}
	case httpOverrun:
		v.broken = v.role == resp
	case httpReply, httpUpgrade:
		if v.role != resp || !s.speaks(v) {
			return
		}
		if v.app == httpUpgrade {
			v.confirm(webSocket)
		}
		v.inside = s.looks[orig] == httpConnect
	}
}

// breaksHTTP: only HTTP 0.9 answers with anything.
func breaksHTTP(s *Speech, _ *voice) bool { return s.looks[orig] != httpOld }
