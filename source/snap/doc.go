// Package snap writes the state of running structures to a stream and reads it
// back, so that a daemon goes on where it was killed.
//
// A value is written with all that it reaches: unexported fields, too, so that a
// field that is added to a table is in the next snapshot without another line of
// code. What holds no pointers is written as it lies in memory, in one piece; the
// rest field by field. Before the first value of a type its layout goes to the
// stream (names, kinds and places of the fields): a program in which that is
// another one refuses to read it (ErrLayout), and the version of a snapshot is
// nothing that anybody has to remember to raise.
//
// The stream has no checksum of its own: whoever keeps it, checks it before it is
// read. Lengths are still held against what is left of it, so that no damage makes
// a Reader allocate more than the stream is long.
package snap
