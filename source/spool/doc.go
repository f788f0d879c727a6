// Package spool finds capture files, says when each may be read, and puts them
// away afterwards. It owns everything that touches directories: listing and
// watching, settling, indexing by the first records, grouping into admissions,
// the bound on open descriptors, the turns of devices, the moves to done and
// failed, the memory of what was read, and the ledger that makes a commit.
//
// The directory listing is the truth; inotify only says when to look again.
// It is one of the few places where the wall clock exists: packet time is never
// derived from it here.
//
// # Closed sets
//
// What lies in the spool at the start, a directory that is moved in, and what a
// manifest names are closed sets: all of one goes into one group, so that it is
// read in exact order. A file in it that is still being written to, or cannot be
// read, is no part of the set.
//
// # Manifests
//
// A file called *.manifest lists paths, one a line; blank lines, and those that
// begin with #, count for nothing. If it holds a NUL, paths end in NULs instead
// and nothing is a comment, as find -print0 writes them. A relative path is taken
// from the manifest's directory. A symbolic link is followed, for it is named. A
// file that is named twice is read once. What is named is read where it lies and
// never moved, renamed or removed; it is taken to be complete, and read once.
// Not read, and told in the manifest's reason,
// are what is missing, directories (a list says what is in it; what lies in a
// directory may change between two looks), other manifests, and files in the
// spool, in done or in failed, which would be read twice. While a file cannot be
// opened the manifest waits as a whole. When all that it names is covered the
// manifest goes to done, or to failed if something was told.
//
// # Copies
//
// A file is a duplicate, and is not read, if it is
//
//   - another name of the inode of a file that was read, and unchanged since; or
//   - the same, byte by byte, as a file that was read and still lies where it was
//     put, and the stamps in it span more than the window of order.window.
//
// The span is what makes it safe: no cut of a capture may lose a packet. In a
// capture whose disorder is at most the window, each record of a piece is no
// earlier than the latest of the piece before, less the window. Two pieces with the same
// bytes have the same earliest and latest stamps, so both span no more than the
// window: two files that span more never are pieces of one capture. Those that
// span less, down to single packets that a switch had sent twice in one
// microsecond, are always read.
//
// Of copies in one group, the least path is read. The others wait in the spool
// until a commit covers it, and are read if it turns out that it could not be.
// An original that was deleted, moved or replaced counts no more: to have a file
// read again, move it back into the spool. What is known is bounded (1 million
// files, 30 days); what is forgotten is read again.
package spool
