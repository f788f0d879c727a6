package decode

import "pcapdir/source/packet"

// raw is a record that starts with its IP header.
func raw([]byte) (int, packet.Drop) { return 0, packet.DropNone }
