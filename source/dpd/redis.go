package dpd

import (
	"bytes"

	"pcapdir/source/packet"
)

// redis is RESP: a command as an array of strings, or inline, and a reply with its
// type in front.
func redis(b []byte, w where) packet.App {
	line, whole := lineOf(b)
	switch {
	case !whole || len(line) == 0:
	case w == toServer:
		return redisCommand
	case bytes.IndexByte([]byte("+-:$*_,#(!=%~>"), line[0]) >= 0:
		return redisReply
	}
	return packet.AppNone
}

// hearRedis confirms by a command and the reply.
func hearRedis(s *Speech, v *voice) {
	if v.role == resp && v.app == redisReply && s.looks[orig] == redisCommand {
		v.confirm(v.app)
	}
}
