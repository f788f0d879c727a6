// Command gopacket is what a careful programmer gets out of gopacket in an afternoon: it
// reads without copies, decodes into layers that are used again, counts connections in a
// map and writes them as JSON. It is the baseline of contrib/bench/peers; it neither puts
// packets in order nor ends connections before the file does.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: gopacket CAPTURE")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "gopacket:", err)
		os.Exit(1)
	}
}

// key is a connection; of its two directions the one that was seen first.
type key struct {
	src, dst         netip.Addr
	srcPort, dstPort uint16
	proto            layers.IPProtocol
}

func (k key) reverse() key { return key{k.dst, k.src, k.dstPort, k.srcPort, k.proto} }

// flow is what is written of a connection.
type flow struct {
	TS        float64 `json:"ts"`
	Duration  float64 `json:"duration"`
	OrigH     string  `json:"id.orig_h"`
	OrigP     uint16  `json:"id.orig_p"`
	RespH     string  `json:"id.resp_h"`
	RespP     uint16  `json:"id.resp_p"`
	Proto     string  `json:"proto"`
	OrigPkts  uint64  `json:"orig_pkts"`
	OrigBytes uint64  `json:"orig_ip_bytes"`
	RespPkts  uint64  `json:"resp_pkts"`
	RespBytes uint64  `json:"resp_ip_bytes"`

	first, last time.Time
}

func run(path string, out io.Writer) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // opened for reading
	r, err := pcapgo.NewReader(bufio.NewReaderSize(file, 1<<20))
	if err != nil {
		return err
	}
	flows := map[key]*flow{}
	d := newDecoder()
	for {
		data, info, err := r.ZeroCopyReadPacketData()
		if err == io.EOF {
			return write(out, flows)
		}
		if err != nil {
			return err
		}
		if k, bytes, ok := d.decode(data); ok {
			count(flows, k, bytes, info.Timestamp)
		}
	}
}

// decoder is layers that are used again.
type decoder struct {
	parser *gopacket.DecodingLayerParser
	seen   []gopacket.LayerType
	eth    layers.Ethernet
	vlan   layers.Dot1Q
	ip4    layers.IPv4
	ip6    layers.IPv6
	tcp    layers.TCP
	udp    layers.UDP
	icmp4  layers.ICMPv4
	icmp6  layers.ICMPv6
}

func newDecoder() *decoder {
	d := new(decoder)
	d.parser = gopacket.NewDecodingLayerParser(layers.LayerTypeEthernet,
		&d.eth, &d.vlan, &d.ip4, &d.ip6, &d.tcp, &d.udp, &d.icmp4, &d.icmp6)
	d.parser.IgnoreUnsupported = true
	return d
}

// decode is the connection of a packet, and the bytes of its IP packet.
func (d *decoder) decode(data []byte) (k key, bytes uint64, ok bool) {
	if err := d.parser.DecodeLayers(data, &d.seen); err != nil && len(d.seen) == 0 {
		return k, 0, false
	}
	for _, layer := range d.seen {
		switch layer {
		case layers.LayerTypeIPv4:
			k.src, _ = netip.AddrFromSlice(d.ip4.SrcIP)
			k.dst, _ = netip.AddrFromSlice(d.ip4.DstIP)
			k.proto, bytes, ok = d.ip4.Protocol, uint64(d.ip4.Length), true
		case layers.LayerTypeIPv6:
			k.src, _ = netip.AddrFromSlice(d.ip6.SrcIP)
			k.dst, _ = netip.AddrFromSlice(d.ip6.DstIP)
			k.proto, bytes, ok = d.ip6.NextHeader, 40+uint64(d.ip6.Length), true
		case layers.LayerTypeTCP:
			k.srcPort, k.dstPort = uint16(d.tcp.SrcPort), uint16(d.tcp.DstPort)
		case layers.LayerTypeUDP:
			k.srcPort, k.dstPort = uint16(d.udp.SrcPort), uint16(d.udp.DstPort)
		}
	}
	return k, bytes, ok
}

func count(flows map[key]*flow, k key, bytes uint64, at time.Time) {
	f := flows[k]
	if f == nil {
		if f = flows[k.reverse()]; f != nil {
			f.RespPkts, f.RespBytes, f.last = f.RespPkts+1, f.RespBytes+bytes, at
			return
		}
		f = &flow{first: at}
		flows[k] = f
	}
	f.OrigPkts, f.OrigBytes, f.last = f.OrigPkts+1, f.OrigBytes+bytes, at
}

func write(out io.Writer, flows map[key]*flow) error {
	buffered := bufio.NewWriterSize(out, 1<<20)
	enc := json.NewEncoder(buffered)
	for k, f := range flows {
		f.TS, f.Duration = float64(f.first.UnixMicro())/1e6, f.last.Sub(f.first).Seconds()
		f.OrigH, f.OrigP, f.RespH, f.RespP, f.Proto = k.src.String(), k.srcPort, k.dst.String(), k.dstPort, k.proto.String()
		if err := enc.Encode(f); err != nil {
			return err
		}
	}
	return buffered.Flush()
}
