package decompress

import "fmt"

// bomb is how far a stream may expand: to free bytes, and beyond to ratio times its
// own size.
type bomb struct{ free, ratio int64 }

// honest is no bomb. A capture of equal packets with payload of zeros, as speed
// tests send them, expands some hundredfold: what tells packets apart (stamps,
// sequence numbers, checksums) does not. Streams made to expand do so up to a
// thousandfold with gzip, and a millionfold with bzip2.
var honest = bomb{free: 1 << 30, ratio: 1000}

// check is the error of a stream that became out bytes of in.
func (b bomb) check(in, out int64) error {
	if out <= b.free || out/b.ratio <= in {
		return nil
	}
	return fmt.Errorf("bomb: %d bytes became more than %d; if it is honest, decompress it and move the result here", in, out)
}
