// Package sharder deals packets to shards by a symmetric hash of their
// endpoints and runs one goroutine per shard, which hands them in order to a
// Handler and tells it when event time has passed the end of an epoch.
package sharder
