// Package pipeline wires the stages into the main job and owns their lifetimes:
// spool, readers, merge, shards, committer. It is the one package that knows
// them all, and it coordinates the commit: lines become visible and files are
// put away only together.
package pipeline
