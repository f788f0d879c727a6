package pcapfile_test

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"io"
	"math/bits"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"pcapdir/source/packet"
	"pcapdir/source/pcapfile"
	"pcapdir/source/pcapfile/pcaptest"
)

// readAll also says where each record began.
func readAll(src io.Reader) (recs []pcapfile.Record, starts []int64, err error) {
	r, err := pcapfile.NewReader(src, 0)
	for err == nil {
		var rec pcapfile.Record
		starts = append(starts, r.Offset())
		if err = r.Next(&rec); err == nil {
			rec.Data = bytes.Clone(rec.Data)
			recs = append(recs, rec)
		}
	}
	return recs, starts, err
}

// A cut at any byte of the last two records, or of any header: the records before
// it come out, and then the place and the kind of the damage.
func TestTruncatedAtEveryByte(t *testing.T) {
	want := mixed(12, 1)
	for i := range want[8:] {
		want[8+i].Data = bytes.Repeat([]byte{byte(i)}, 30+i)
	}
	for _, c := range containers() {
		capture := c.bytes(t, want)
		_, starts, err := readAll(bytes.NewReader(capture))
		if err != io.EOF {
			t.Fatal(c.name, err)
		}
		for cut := int(starts[len(want)-2]); cut < len(capture); cut++ {
			checkCut(t, c, capture[:cut], want, starts)
		}
		header := map[string]int{"snoop": 16}[c.format]
		for cut := 4; cut < cmp.Or(header, 24); cut++ {
			_, _, err := readAll(bytes.NewReader(capture[:cut]))
			var damage *pcapfile.DamageError
			if !errors.As(err, &damage) || damage.Offset != 0 || !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s: header cut at %d: %v", c.name, cut, err)
			}
		}
	}
}

func checkCut(t *testing.T, c container, capture []byte, want []pcapfile.Record, starts []int64) {
	t.Helper()
	whole := len(want) - 2
	if int64(len(capture)) >= starts[whole+1] {
		whole++
	}
	got, _, err := readAll(bytes.NewReader(capture))
	if d := diff(got, want[:whole]); d != "" {
		t.Fatalf("%s cut at %d: %s", c.name, len(capture), d)
	}
	if err == io.EOF {
		// Between two blocks nothing says that more should come.
		if c.format == "pcap" && int64(len(capture)) != starts[whole] {
			t.Errorf("%s cut at %d: a clean end", c.name, len(capture))
		}
		return
	}
	var damage *pcapfile.DamageError
	if !errors.As(err, &damage) || !errors.Is(err, io.ErrUnexpectedEOF) ||
		damage.Offset < starts[whole] || damage.Offset >= int64(len(capture)) || !strings.Contains(damage.Reason, "cut short: ") {
		t.Fatalf("%s cut at %d, record at %d: %v", c.name, len(capture), starts[whole], err)
	}
}

func TestReasonOfACut(t *testing.T) {
	recs := uniform(17, 82)
	for _, c := range []struct {
		write  container
		want   string
		length int
	}{
		{pcap("", pcaptest.PcapOptions{}), "record 17 cut short: 40 of 98 bytes at offset 1592", 24 + 16*98 + 40},
		{pcap("", pcaptest.PcapOptions{}), "record 17 cut short: 9 of 16 bytes at offset 1592", 24 + 16*98 + 9},
		{pcap("", pcaptest.PcapOptions{}), "file header cut short: 20 of 24 bytes at offset 0", 20},
		{pcapng("", pcaptest.PcapngOptions{}), "record 17 cut short: 40 of 116 bytes at offset 1904", 28 + 20 + 16*116 + 40},
		{pcapng("", pcaptest.PcapngOptions{}), "section header cut short: 8 of 28 bytes at offset 0", 8},
		{pcapng("", pcaptest.PcapngOptions{}), "block cut short: 20 of 28 bytes at offset 0", 20},
	} {
		capture := c.write.bytes(t, recs)
		_, _, err := readAll(bytes.NewReader(capture[:c.length]))
		if err == nil || err.Error() != c.want {
			t.Errorf("cut at %d: %q, want %q", c.length, err, c.want)
		}
	}
}

func TestNotACapture(t *testing.T) {
	for head, want := range map[string]error{
		"":                                    pcapfile.ErrEmpty,
		"a":                                   pcapfile.ErrNotCapture,
		"\xd4\xc3\xb2":                        pcapfile.ErrNotCapture,
		"#separator \\x09\n#set_separator":    pcapfile.ErrNotCapture,
		"snoop is a fine word, a format not":  pcapfile.ErrNotCapture,
		"\n\r\r\nfour ends of lines and text": pcapfile.ErrNotCapture,
	} {
		r, err := pcapfile.NewReader(strings.NewReader(head), 0)
		if r != nil || !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", head, err, want)
		}
		if want == pcapfile.ErrNotCapture && !strings.Contains(err.Error(), "starts with ") {
			t.Errorf("%q: %v does not show the first bytes", head, err)
		}
	}
}

// A read error is passed on at whatever byte it comes, is not damage, and reading
// can go on after it.
func TestReadErrorIsNotDamage(t *testing.T) {
	want := mixed(6, 1)
	for _, c := range []container{pcap("", pcaptest.PcapOptions{}), snoop("", pcaptest.SnoopOptions{}), pcapng("", pcaptest.PcapngOptions{SectionEvery: 2, Noise: true})} {
		capture := c.bytes(t, want)
		for cut := 0; cut < len(capture); cut++ {
			if cut == 1000 {
				cut = max(cut, len(capture)-1000) // the noise is long
			}
			src := io.MultiReader(bytes.NewReader(capture[:cut]), failOnce(), bytes.NewReader(capture[cut:]))
			got, err := readOn(src)
			if diff(got, want[:len(got)]) != "" || !errors.Is(err, syscall.EIO) {
				t.Fatalf("%s failing at %d: %s, error %v", c.name, cut, diff(got, want[:len(got)]), err)
			}
			if int64(cut) >= 300 && diff(got, want) != "" {
				t.Fatalf("%s after failing at %d: %s", c.name, cut, diff(got, want))
			}
			var damage *pcapfile.DamageError
			if errors.As(err, &damage) {
				t.Fatalf("%s failing at %d: %v", c.name, cut, err)
			}
		}
	}
}

// readOn reads to the end, and on after one error, which it returns.
func readOn(src io.Reader) (recs []pcapfile.Record, first error) {
	r, err := pcapfile.NewReader(src, 0)
	if err != nil {
		return nil, err
	}
	recs, first = pcaptest.Rest(r)
	if first != nil {
		more, err := pcaptest.Rest(r)
		if err != nil {
			return recs, err
		}
		recs = append(recs, more...)
	}
	return recs, first
}

type failing struct{ done bool }

func (f *failing) Read([]byte) (int, error) {
	if f.done {
		return 0, io.EOF
	}
	f.done = true
	return 0, syscall.EIO
}

func failOnce() io.Reader { return &failing{} }

// A file that grows is read on from where it ended, inside a record or not.
func TestGrowingFile(t *testing.T) {
	want := mixed(6, 1)
	for _, c := range containers() {
		capture := c.bytes(t, want)
		for _, cut := range []int{len(capture) - 1, len(capture) - 60, len(capture) / 2} {
			src := &bytes.Buffer{}
			src.Write(capture[:cut])
			r, err := pcapfile.NewReader(src, 0)
			if err != nil {
				t.Fatal(c.name, err)
			}
			got, err := pcaptest.Rest(r)
			if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatal(c.name, err)
			}
			src.Write(capture[cut:])
			more, err := pcaptest.Rest(r)
			if d := diff(append(got, more...), want); d != "" || err != nil {
				t.Errorf("%s grown from %d: %s, error %v", c.name, cut, d, err)
			}
		}
	}
}

func TestCorruptStreamIsDamage(t *testing.T) {
	capture := pcap("", pcaptest.PcapOptions{}).bytes(t, uniform(3, 10))
	for _, left := range []int{5, 26} { // inside of a record, and between two
		src := io.MultiReader(bytes.NewReader(capture[:len(capture)-left]), iotest.ErrReader(corruptError{}))
		got, _, err := readAll(src)
		var damage *pcapfile.DamageError
		if len(got) != 2 || !errors.As(err, &damage) || !errors.Is(err, corruptError{}) || !strings.HasSuffix(err.Error(), ": bad block") {
			t.Errorf("%d records, then %v", len(got), err)
		}
	}
}

type corruptError struct{}

func (corruptError) Error() string { return "bad block" }
func (corruptError) Corrupt() bool { return true }

func TestStuckReader(t *testing.T) {
	if _, err := pcapfile.NewReader(stuck{}, 0); !errors.Is(err, io.ErrNoProgress) {
		t.Error(err)
	}
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

// patched is capture with a 32-bit little-endian number at place.
func patched(capture []byte, place int, v uint32) []byte {
	capture = bytes.Clone(capture)
	binary.LittleEndian.PutUint32(capture[place:], v)
	return capture
}

// Each kind of damage is named, at its place, after what comes before it.
func TestDamage(t *testing.T) {
	recs := uniform(3, 20)
	classic := pcap("", pcaptest.PcapOptions{}).bytes(t, recs)
	ng := pcapng("", pcaptest.PcapngOptions{}).bytes(t, recs)
	resol := pcapng("", pcaptest.PcapngOptions{Resol: 6}).bytes(t, recs)
	simple := pcapng("", pcaptest.PcapngOptions{Blocks: pcaptest.Simple}).bytes(t, recs)
	two := pcapng("", pcaptest.PcapngOptions{SectionEvery: 2}).bytes(t, recs)
	sun := snoop("", pcaptest.SnoopOptions{}).bytes(t, recs)
	big := func(at int, v uint32) []byte { return patched(sun, at, bits.ReverseBytes32(v)) }
	const snoop2 = 16 + 44
	const rec2, epb, iface = 24 + 36, 28 + 20 + 52, 28 // the second record of each
	for _, c := range []struct {
		name    string
		capture []byte
		recs    int
		offset  int64
		reason  string
	}{
		{"pcap version", patched(classic, 4, 9<<16|2), 0, 0, "pcap version 2.9"},
		{"absurd caplen", patched(classic, rec2+8, 0xffffffff), 1, rec2, "record 2 has a captured length of 4294967295"},
		{"caplen over the cap", patched(classic, rec2+8, pcapfile.MaxCaplen+1), 1, rec2, "captured length of 1048577"},
		{"snoop version", big(8, 3), 0, 0, "snoop version 3"},
		{"snoop data link", big(12, 77), 0, 0, "data link type 77"},
		{"snoop caplen", big(snoop2+4, 0xffffffff), 1, snoop2, "record 2 has a captured length of 4294967295"},
		{"snoop record too short", big(snoop2+8, 43), 1, snoop2, "record 2 has a length of 43 with 20 captured bytes"},
		{"snoop record of nothing", big(snoop2+8, 0), 1, snoop2, "a length of 0"},
		{"snoop record too long", big(snoop2+8, 0xfffffffc), 1, snoop2, "a length of 4294967292"},
		{"pcapng version", patched(ng, 12, 2), 0, 0, "pcapng version 2.0"},
		{"section too short", patched(ng, 4, 24), 0, 0, "length of 24"},
		{"section lengths", patched(ng, 24, 32), 0, 0, "lengths 28 and 32"},
		{"interface too short", patched(ng, iface+4, 16), 0, iface, "interface 0 has a block length of 16"},
		{"block not of fours", patched(ng, epb+4, 53), 1, epb, "record 2 has a block length of 53"},
		{"block too long", patched(ng, epb+4, 0xfffffffc), 1, epb, "block length of 4294967292"},
		{"block lengths", patched(ng, epb+48, 48), 1, epb, "record 2 has the lengths 52 and 48"},
		{"unknown block lengths", patched(patched(ng, epb, 77), epb+48, 48), 1, epb, "lengths 52 and 48"},
		{"unknown block too short", patched(patched(ng, epb, 77), epb+4, 8), 1, epb, "type 0x4d has a length of 8"},
		{"interface unknown", patched(ng, epb+8, 1), 1, epb, "interface 1, of 1"},
		{"obsolete interface unknown", patched(patched(ng, epb, 2), epb+8, 0xabcd0001), 1, epb, "interface 1, of 1"},
		{"caplen beyond block", patched(ng, epb+20, 21), 1, epb, "captured length of 21 in a block of 52"},
		{"no interface", patched(ng, iface, 77), 0, iface + 20, "interface 0, of 0"},
		{"simple without interface", patched(simple, iface, 77), 0, iface + 20, "interface 0, of 0"},
		{"section without order", patched(two, epb+52+8, 0), 2, epb + 52, "without byte order"},
		{"option too long", patched(resol, iface+16, 9|20<<16), 0, iface, "longer than its block"},
		{"resolution of 2 bytes", patched(resol, iface+16, 9|2<<16), 0, iface, "not 1 byte"},
		{"resolution of 10^-20", patched(resol, iface+20, 20), 0, iface, "no 64-bit stamp"},
		{"resolution of 2^-64", patched(resol, iface+20, 0x80|64), 0, iface, "no 64-bit stamp"},
		{"offset of 1 byte", patched(resol, iface+16, 14|1<<16), 0, iface, "not 8 bytes"},
		{"zeros behind the end", append(bytes.Clone(ng), make([]byte, 64)...), 3, int64(len(ng)), "length of 0"},
	} {
		got, _, err := readAll(bytes.NewReader(c.capture))
		var damage *pcapfile.DamageError
		if !errors.As(err, &damage) || damage.Offset != c.offset || !strings.Contains(damage.Reason, c.reason) || damage.Err != nil {
			t.Errorf("%s: %v, want %q at %d", c.name, err, c.reason, c.offset)
		}
		if d := diff(got, recs[:c.recs]); d != "" && !strings.HasPrefix(c.name, "simple") {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}

// What real tools write although it is wrong is read as it stands.
func TestOddRecords(t *testing.T) {
	recs := uniform(3, 20)
	recs[0].Wire, recs[2].Wire = 5, 0xffffffff
	for _, c := range containers() {
		if strings.Contains(c.name, "2.3") {
			continue // there the smaller length is the captured one
		}
		if got, _, err := readAll(bytes.NewReader(c.bytes(t, recs))); err != io.EOF || diff(got, recs) != "" {
			t.Errorf("%s: %s, error %v", c.name, diff(got, recs), err)
		}
	}
	classic := pcap("", pcaptest.PcapOptions{}).bytes(t, recs)
	got, _, err := readAll(bytes.NewReader(patched(patched(classic, 24, 0xffffffff), 28, 0xffffffff)))
	if want := packet.Unix(0xffffffff, -1000); err != io.EOF || got[0].TS != want {
		t.Errorf("seconds and microseconds of 32 ones: %d, want %d; error %v", got[0].TS, want, err)
	}
}

// Neither many interfaces nor many link types may cost more than their share.
func TestManyInterfaces(t *testing.T) {
	ng := pcapng("", pcaptest.PcapngOptions{}).bytes(t, uniform(1, 20))
	head, idb := ng[:28], ng[28:48]
	capture := bytes.Clone(head)
	for i := range 1<<16 + 1 {
		binary.LittleEndian.PutUint16(idb[8:], uint16(i))
		capture = append(capture, idb...)
	}
	r, err := pcapfile.NewReader(bytes.NewReader(capture), 0)
	if err != nil {
		t.Fatal(err)
	}
	var damage *pcapfile.DamageError
	if _, err := pcaptest.Rest(r); !errors.As(err, &damage) || !strings.Contains(err.Error(), "more than 65536 interfaces") {
		t.Error(err)
	}
	if n := len(r.LinkTypes()); n != 1<<16 {
		t.Errorf("%d link types", n)
	}
}
