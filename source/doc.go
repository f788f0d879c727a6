// Package source reads capture files into the merge: one Reader per open file
// inflates, frames, decodes, repairs disorder inside the file, and deals packets
// to shards. Fragments of IP datagrams go to the one Defragmenter, which sends on
// the datagrams. Its sub-packages are the steps.
package source
