package dpd

import (
	"bytes"
	"net/netip"
	"testing"

	"pcapdir/source/packet"
)

func TestDataPort(t *testing.T) {
	v4, v6 := packet.Addr(netip.MustParseAddr("10.0.0.1").As16()), packet.Addr(netip.MustParseAddr("2001:db8::1").As16())
	for _, c := range []struct {
		text string
		from *packet.Addr
		want uint16
	}{
		{"PORT 10,0,0,1,234,10\r\n", &v4, 234<<8 + 10},
		{"port 10,0,0,1,0,20\n", &v4, 20},
		{"PORT 10,0,0,2,234,10\r\n", &v4, 0}, // another's: a bounce
		{"PORT 10,0,0,1,234,10", &v4, 0},     // more may come
		{"PORT 10,0,0,1,234\r\n", &v4, 0},
		{"PORT 10,0,0,1,234,256\r\n", &v4, 0},
		{"PORT 10,0,0,1,99999999999999999999,1\r\n", &v4, 0},
		{"PORT\r\n", &v4, 0},
		{"PORTS 10,0,0,1,234,10\r\n", &v4, 0},
		{"227 Entering Passive Mode (10,0,0,1,160,191).\r\n", &v4, 160<<8 + 191},
		{"227 Entering Passive Mode 10,0,0,1,160,191\r\n", &v4, 160<<8 + 191},
		{"227 =10,0,0,1,160,191\r\n", &v4, 160<<8 + 191},
		{"227 (\r\n", &v4, 0},
		{"227\r\n", &v4, 0},
		{"227 ,\r\n", &v4, 0},
		{"220 (10,0,0,1,160,191)\r\n", &v4, 0},
		{"200 ok\r\n227 Entering Passive Mode (10,0,0,1,160,191).\r\n", &v4, 160<<8 + 191},
		{"220-hello\r\n220 ok\r\nTYPE I\r\nPWD\r\n227 (10,0,0,1,160,191)\r\n", &v4, 160<<8 + 191},
		{"POST / HTTP/1.1\r\nHost: a\r\n\r\n229 (|||443|)\r\n", &v4, 0},
		{"229 (|||443|)\r\nHost: a\r\n227 (10,0,0,1,160,191)\r\n", &v4, 443},
		{"22 ok\r\n229 (|||443|)\r\n", &v4, 0},
		{"229 Entering Extended Passive Mode (|||38141|)\r\n", &v4, 38141},
		{"229 Entering Extended Passive Mode (|||38141|)\r\n", &v6, 38141},
		{"229 (!!!38141!)\r\n", &v6, 38141},
		{"229 (|||70000|)\r\n", &v6, 0},
		{"229 (|||38141)\r\n", &v6, 0},
		{"229 (\r\n", &v6, 0},
		{"229 |||38141|\r\n", &v6, 0},
		{"EPRT |2|2001:db8::1|49189|\r\n", &v6, 49189},
		{"EPRT |2|2001:db8::2|49189|\r\n", &v6, 0},
		{"EPRT |1|10.0.0.1|6275|\r\n", &v4, 6275},
		{"EPRT |1|nobody|6275|\r\n", &v4, 0},
		{"EPRT\r\n", &v4, 0},
		{"", &v4, 0},
	} {
		if got := DataPort([]byte(c.text), c.from); got != c.want || got != 0 && !MayInvite([]byte(c.text)) {
			t.Errorf("%q: %d, want %d", c.text, got, c.want)
		}
	}
}

func FuzzDataPort(f *testing.F) {
	f.Add([]byte("227 Entering Passive Mode (10,0,0,1,160,191).\r\n229 (|||38141|)\r\n"))
	f.Add([]byte("PORT 10,0,0,1,234,10\r\nEPRT |1|10.0.0.1|6275|\r\n"))
	from := packet.AddrFrom4([4]byte{10, 0, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		if bytes.Count(b, []byte("\n")) >= mostLines {
			return
		}
		before := append([]byte("200 ok\r\n"), b...)
		if got, want := DataPort(before, &from), DataPort(b, &from); got != want {
			t.Errorf("%q: %d behind another line, %d without", b, got, want)
		}
	})
}
