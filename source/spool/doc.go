// Package spool finds capture files, says when each may be read, and puts them
// away afterwards. It owns everything that touches directories: listing and
// watching, settling, indexing by the first records, grouping into admissions,
// the bound on open descriptors, the moves to done and failed, and the ledger
// that makes a commit.
//
// The directory listing is the truth; inotify only says when to look again.
// It is one of the few places where the wall clock exists: packet time is never
// derived from it here.
package spool
