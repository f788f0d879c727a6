package pipeline_test

import (
	"encoding/json"
	"slices"
	"testing"

	"pcapdir/source/decode/decodetest"
	"pcapdir/source/packet"
)

// VLANs and MAC addresses are those of a connection's first packet, of whichever
// side; where they are not wanted they are not there.
func TestLinksInConnLog(t *testing.T) {
	client, server := [6]byte{2, 0, 0, 0, 0, 1}, [6]byte{2, 0, 0, 0, 0, 2}
	frame := func(src, dst [6]byte, ip []byte, vlans ...uint16) []byte {
		b := decodetest.Ether(ip, vlans...)
		copy(b, dst[:])
		copy(b[6:], src[:])
		return b
	}
	there, back := decodetest.From("10.0.0.1", "10.0.0.2"), decodetest.From("10.0.0.2", "10.0.0.1")
	var c capture
	for i, data := range [][]byte{
		frame(client, server, there.UDP(40001, 9999, []byte("first")), 7, 8),
		frame(server, client, back.UDP(9999, 40001, []byte("other VLAN")), 9),
		frame(server, client, back.UDP(53, 40002, []byte("the client is who answers"))),
		frame(client, server, decodetest.From("10.0.0.1", "10.0.0.3").Proto(4, decodetest.From("10.1.0.1", "10.1.0.2").UDP(40003, 9999, []byte("in a tunnel"))), 7),
	} {
		c.recs = append(c.recs, record{TS: packet.Time(i+1) * 1e9, Wire: uint32(len(data)), LinkType: 1, Data: data})
	}
	path := c.write(t, t.TempDir(), "links.pcap")
	type seen struct {
		Port   uint16 `json:"id.orig_p"`
		VLAN   uint16 `json:"vlan"`
		Inner  uint16 `json:"inner_vlan"`
		OrigL2 string `json:"orig_l2_addr"`
		RespL2 string `json:"resp_l2_addr"`
	}
	const one, two = "02:00:00:00:00:01", "02:00:00:00:00:02"
	for _, tc := range []struct {
		vlan, mac bool
		want      []seen
	}{
		{false, false, []seen{{Port: 40001}, {Port: 40002}, {Port: 40003}}},
		{true, false, []seen{{Port: 40001, VLAN: 7, Inner: 8}, {Port: 40002}, {Port: 40003}}},
		{true, true, []seen{{40001, 7, 8, one, two}, {40002, 0, 0, one, two}, {Port: 40003}}},
	} {
		j := newJob(t)
		j.cfg.Conn.VLAN, j.cfg.Conn.MAC = tc.vlan, tc.mac
		var got []seen
		for _, text := range lines(j.read(t, path).logs["conn"]) {
			var s seen
			if err := json.Unmarshal([]byte(text), &s); err != nil {
				t.Fatal(err)
			}
			got = append(got, s)
		}
		slices.SortFunc(got, func(a, b seen) int { return int(a.Port) - int(b.Port) })
		if !slices.Equal(got, tc.want) {
			t.Errorf("vlan %t, mac %t:\ngot  %+v\nwant %+v", tc.vlan, tc.mac, got, tc.want)
		}
	}
}
