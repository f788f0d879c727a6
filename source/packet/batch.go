package packet

// Batch is packets of one file in key order, on their way to one consumer. It
// has one owner at a time: whoever fills it, then the queue, then whoever
// receives it.
type Batch struct {
	File    uint64 // content id: the part of their keys that all Packets share
	Packets []Packet
	// Data is, for fragments alone, the IP packet of each of Packets. Its slices
	// are nobody else's, and go with their packet to whoever takes it.
	Data [][]byte
}

// Reset empties b for its next use.
func (b *Batch) Reset() {
	Poison(b.Packets)
	b.Packets = b.Packets[:0]
	clear(b.Data)
	b.Data = b.Data[:0]
}
