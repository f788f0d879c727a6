// Package merge puts the packets of many files into one order on many shards
// without a central merger: each file says how far it may be trusted, and each
// shard merges its own share of every open file up to what all of them allow.
//
// # The parts
//
//   - Run: one open file. Its reader appends packets in key order to one
//     partial batch per shard, and sends full batches through one bounded queue
//     per shard (Writer).
//   - Frontier: which files wait, which are open, how far each has got
//     (progress), and the one key below which shards may handle packets (safe).
//   - Merger: one shard's merge of its queues, up to safe.
//
// # The invariants
//
// Keys are packet.Order: effective time first, then rank, file and record.
//
//   - A run's progress is at or below every key of the run that shards cannot
//     see yet, and, where nothing older is unsent, strictly above every key that
//     they can (I1).
//   - safe = min(progress of all open runs, bound), and never falls. bound is
//     the lowest key that a file not yet open can hold (I2).
//   - A shard handles exactly the keys below safe, in order (I3).
//   - A reader publishes its progress before every wait. When a queue is full
//     it sends its partial batches, the one with the oldest first key first,
//     and waits on that one (I4).
//   - A new run is visible to every shard before bound rises above it. A shard
//     loads safe first, then the list of runs, then polls the queues, so an
//     empty queue means that nothing below safe is left in it (I5).
//
// Why it cannot deadlock: take the open run with the least progress P. If P is
// at or above bound, the scheduler opens the next file. Otherwise safe = P. If
// the run's reader waits, it waits on the queue that holds its oldest batch;
// everything in that queue is below P = safe, so that shard drains it. If it
// does not wait, it runs, and publishes.
//
// Each rule has a test that breaks it on purpose and sees the model fail.
package merge
