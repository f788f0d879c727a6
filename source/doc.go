// Package source reads capture files into the merge: one Reader per open file
// inflates, frames, decodes, repairs disorder inside the file, and deals packets
// to shards. Its sub-packages are the steps.
package source
