package pipeline_test

import (
	"encoding/json"
	"testing"

	"pcapdir/source/decode/decodetest"
	"pcapdir/source/dpd/dpdtest"
	"pcapdir/source/packet"
)

// talk makes packets of a conversation between 10.0.0.1, at a port of its own, and
// the server 10.0.0.2, whole seconds after one another.
type talk struct {
	c        capture
	port     uint16
	now      packet.Time
	reversed bool // the server calls
}

func (k *talk) add(ip []byte) {
	data := decodetest.Ether(ip)
	k.now += packet.Time(1e9)
	k.c.recs = append(k.c.recs, record{TS: k.now, Wire: uint32(len(data)), LinkType: 1, Data: data})
}

func (k *talk) say(c *dpdtest.Conversation) {
	const syn, ack, fin = 2, 0x10, 1
	ends := [2]decodetest.IP{decodetest.From("10.0.0.1", "10.0.0.2"), decodetest.From("10.0.0.2", "10.0.0.1")}
	if k.reversed {
		ends[0], ends[1] = ends[1], ends[0]
	}
	ports := [2]uint16{k.port, c.Port}
	next := [2]uint32{1000, 9000}
	segment := func(side int, flags uint8, payload []byte) {
		k.add(ends[side].TCP(decodetest.TCP{
			SrcPort: ports[side], DstPort: ports[1-side], Seq: next[side], Ack: next[1-side], Flags: flags, Win: 8192,
		}, payload))
		next[side] += uint32(len(payload))
		if flags&(syn|fin) != 0 {
			next[side]++
		}
	}
	if !c.UDP {
		segment(0, syn, nil)
		segment(1, syn|ack, nil)
	}
	for _, turn := range c.Turns {
		side := 0
		if turn.Server {
			side = 1
		}
		if c.UDP {
			k.add(ends[side].UDP(ports[side], ports[1-side], turn.Bytes))
		} else {
			segment(side, ack, turn.Bytes)
		}
	}
	if !c.UDP {
		segment(0, fin|ack, nil)
		segment(1, fin|ack, nil)
	}
}

// The service of every conversation, from packets in a file to conn.log.
func TestServices(t *testing.T) {
	k := talk{now: packet.Time(1_780_000_000e9), port: 20000}
	said := map[uint16]dpdtest.Conversation{}
	for _, c := range dpdtest.All() {
		k.port++
		k.say(&c)
		said[k.port] = c
	}
	got := servicesOf(t, newJob(t).read(t, k.c.write(t, t.TempDir(), "services.pcap")).logs["conn"])
	for port, c := range said {
		if service, ok := got[port]; !ok || service != c.Want {
			t.Errorf("%s: service %q (a record: %t), want %q", c.Name, service, ok, c.Want)
		}
	}
}

// servicesOf are the services in conn.log, by the port of who called, which called once.
func servicesOf(t *testing.T, conn []byte) map[uint16]string {
	t.Helper()
	got := map[uint16]string{}
	for _, text := range lines(conn) {
		var r struct {
			Port    uint16 `json:"id.orig_p"`
			Service string
			State   string `json:"conn_state"`
			Proto   string
		}
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			t.Fatal(err)
		}
		if _, twice := got[r.Port]; twice || r.Proto == "tcp" && r.State != "SF" {
			t.Errorf("another record, or one in another state: %s", text)
		}
		got[r.Port] = r.Service
	}
	return got
}
