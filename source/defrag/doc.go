// Package defrag puts IP datagrams together from their fragments, by the rules
// of Zeek 8 (FragReassembler), so that the same datagrams come to be, with the
// same bytes. It is a data structure: time is that of the packets that it is
// given, in order.
//
// A datagram is known by its addresses and its identification; as in Zeek not
// by its protocol, and not by any tunnel around it. Its header is that of the
// fragment that arrived first. Where fragments overlap, the older bytes stay.
// It must be whole within five minutes of its first fragment. It takes the place
// of the fragment that completed it; what never becomes whole vanishes.
//
// Memory is bounded, in bytes and in datagrams: the datagram that was begun
// first is given up for the newest.
package defrag
