package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const testdata = "../../testdata"

// The same 60 packets in every container that is read.
var containers = map[string]string{
	"micro.pcap":      "",
	"nano.pcap":       "-nano",
	"big-endian.pcap": "-big-endian",
	"snap-96.pcap":    "-snap 96",
	"micro.pcapng":    "-format pcapng",
	"nano.pcapng":     "-format pcapng -nano -big-endian",
	"gzip.pcap.gz":    "-compress gzip",
	"zstd.pcap.zst":   "-compress zstd",
	"zstd.pcapng.zst": "-format pcapng -compress zstd",
	"raw.pcap":        "-link raw",
	"null.pcap":       "-link null",
	"sll.pcap":        "-link sll",
	"sll2.pcapng":     "-link sll2 -format pcapng",
}

// base is the capture that the files of both directories are made of.
// The seed is one that makes a tag, IPv6 and both kinds of ICMP.
const base = "-kind mix -packets 60 -flows 16 -seed 111"

func TestContainerFiles(t *testing.T) {
	files := map[string][]byte{}
	for name, flags := range containers {
		files[name] = gen(t, strings.Fields(base+" "+flags)...)
	}
	compareFiles(t, "containers", files)
}

// What can go wrong with a file. The README of testdata says what is left to read.
func badFiles(t *testing.T) map[string][]byte {
	pcap := gen(t, strings.Fields(base)...)
	ng := gen(t, strings.Fields(base+" -format pcapng")...)
	gz, zst := squeezed(t, pcap, "gzip"), squeezed(t, pcap, "zstd")
	at := recordAt(pcap, 30)
	return map[string][]byte{
		"empty.pcap":              {},
		"header-only.pcap":        pcap[:24],
		"half-header.pcap":        pcap[:11],
		"header-only.pcapng":      ng[:48],
		"cut-in-record.pcap":      pcap[:recordAt(pcap, 31)-5],
		"cut-in-head.pcap":        pcap[:at+9],
		"cut.pcapng":              ng[:len(ng)-17],
		"cut.pcap.gz":             gz[:len(gz)*2/3],
		"cut.pcap.zst":            zst[:len(zst)*2/3],
		"not-a-capture.pcap":      []byte("This was never a capture.\nIts name says so all the same.\n"),
		"not-a-capture.gz":        squeezed(t, []byte("A text, compressed.\n"), "gzip"),
		"zeros.pcap":              make([]byte, 4096),
		"zeros-behind.pcap":       append(bytes.Clone(pcap[:at]), make([]byte, 512)...),
		"absurd-length.pcap":      patched(pcap, at+8, 0x7fffffff),
		"length-of-all.pcap":      patched(pcap, at+8, 0xffffffff),
		"captured-over-wire.pcap": patched(pcap, at+12, 1),
		"absurd-block.pcapng":     patched(ng, 48+4, 0xfffffffc),
		"short-block.pcapng":      patched(ng, 48+4, 8),
		"unknown-link.pcap":       patched(pcap, 20, 9999),
		"unknown-version.pcap":    patched(pcap, 4, 9),
	}
}

func TestBadFiles(t *testing.T) { compareFiles(t, "bad", badFiles(t)) }

// recordAt is where record number n begins.
func recordAt(pcap []byte, n int) int {
	at := 24
	for range n {
		at += 16 + int(binary.LittleEndian.Uint32(pcap[at+8:]))
	}
	return at
}

// patched is file with another word at a place.
func patched(file []byte, at int, word uint32) []byte {
	file = bytes.Clone(file)
	binary.LittleEndian.PutUint32(file[at:], word)
	return file
}

// squeezed is text compressed with a flush every 2 KiB, as from a program that
// writes as it captures: a cut then costs little.
func squeezed(t *testing.T, text []byte, kind string) []byte {
	t.Helper()
	var b bytes.Buffer
	c, err := compressor(&b, kind)
	if err != nil {
		t.Fatal(err)
	}
	for piece := range slices.Chunk(text, 2048) {
		if _, err := c.Write(piece); err != nil || c.(interface{ Flush() error }).Flush() != nil {
			t.Fatal(err)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// readable is how much of a compressed file can be had before the damage.
func readable(t *testing.T, text []byte) []byte {
	t.Helper()
	text, err := inflate(text)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v", err)
	}
	return text
}

// compareFiles holds a directory of testdata and the README's list of it to files;
// with -update it writes them. Compressed files are compared by their content:
// another version of the library finds other matches.
func compareFiles(t *testing.T, dir string, files map[string][]byte) {
	t.Helper()
	path := filepath.Join(testdata, dir)
	readme, err := os.ReadFile(filepath.Join(testdata, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		if *update {
			if err := os.WriteFile(filepath.Join(path, name), want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(filepath.Join(path, name))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(name, "cut.pcap.") {
			if !bytes.Equal(readable(t, got), readable(t, want)) {
				t.Errorf("%s/%s: other bytes before the cut", dir, name)
			}
		} else if !bytes.Equal(plainBytes(t, got), plainBytes(t, want)) {
			t.Errorf("%s/%s differs from what the generator makes", dir, name)
		}
		if !bytes.Contains(readme, []byte("`"+name+"`")) {
			t.Errorf("README.md does not tell of %s/%s", dir, name)
		}
	}
	entries, err := os.ReadDir(path)
	if err != nil || len(entries) != len(files) {
		t.Errorf("%s holds %d files, want %d, %v", path, len(entries), len(files), err)
	}
}
