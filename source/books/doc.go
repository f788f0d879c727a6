// Package books is double entry for packets. Every record of every file has
// exactly one fate: it is handled, or dropped for one reason; and every packet
// that leaves one stage has come to the next. What does not balance is a bug, and
// said to be one.
package books
