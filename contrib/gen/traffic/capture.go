package traffic

import "io"

// Summary is what a capture holds.
type Summary struct {
	Packets, Bytes uint64 // records, and the file without compression
	Wire           uint64 // bytes on the wire
	First, Last    int64  // stamps, nanoseconds since 1970
}

// Add counts a frame whose record has so many bytes.
func (s *Summary) Add(f *Frame, bytes int) {
	if s.Packets == 0 {
		s.First = f.Nanos
	}
	s.Packets++
	s.Bytes += uint64(bytes)
	s.Wire += uint64(f.Wire)
	s.Last = f.Nanos
}

// Write writes what is left of g to w as one capture file, in pieces of 256 KiB.
func Write(w io.Writer, g *Generator, c Container) (Summary, error) {
	const piece = 256 << 10
	buf := c.AppendHeader(make([]byte, 0, piece+maxFrame))
	s := Summary{Bytes: uint64(len(buf))}
	for f := g.Next(); f != nil; f = g.Next() {
		before := len(buf)
		buf = c.AppendFrame(buf, f)
		s.Add(f, len(buf)-before)
		if len(buf) >= piece {
			if _, err := w.Write(buf); err != nil {
				return s, err
			}
			buf = buf[:0]
		}
	}
	_, err := w.Write(buf)
	return s, err
}

// Split says which of several files a packet goes to, as from a sensor with four
// interfaces whose captures rotate out of step: the files of different interfaces
// overlap in time, a conversation stays on its interface.
type Split struct {
	Files   int
	Packets uint64 // in all files
}

const interfaces = 4

// File is the number of the file, 0 to Files-1, of packet number n (from 0).
func (s Split) File(n uint64, f *Frame) int {
	lanes := min(interfaces, s.Files)
	lane := int(mix64(f.Flow) % uint64(lanes))
	files := s.Files / lanes
	if lane < s.Files%lanes {
		files++
	}
	// Rotations of equal length, a quarter of one apart; the last file of a lane
	// takes what is left.
	part := float64(n)/float64(s.Packets)*float64(files) + float64(lane)/float64(lanes)
	return min(int(part), files-1)*lanes + lane
}
