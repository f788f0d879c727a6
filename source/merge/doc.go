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
//   - Relay: between readers and shards, whoever makes packets out of several
//     others: readers divert fragments to it, it sends on datagrams. It reads a
//     queue of its own of every run, as a shard does, and writes a run of its own,
//     as a reader does. Nothing goes from shards to it: two bounded queues that
//     face each other deadlock.
//
// # The invariants
//
// Keys are packet.Order: effective time first, then rank, file, record and place
// within the record. No two packets of a run share one: a Writer numbers what
// comes from one record, and the relay's has the places behind the fragment that
// it was made of. With equal keys in a full queue and behind it, progress would
// have to be both above and not above them.
//
//   - A run's progress is at or below every key of the run that shards cannot
//     see yet, and, where nothing older is unsent, strictly above every key that
//     they can (I1).
//   - safe = min(progress of all open runs, bound), and never falls. bound is
//     the lowest key that a file not yet open can hold (I2).
//   - A shard handles exactly the keys below what it is granted, in order: safe,
//     or less where the relay has something to do (I7). The relay handles exactly
//     the keys below safe (I3).
//   - A reader publishes its progress before every wait. When a queue is full
//     it sends its partial batches, the one with the oldest first key first,
//     and waits on that one (I4).
//   - A new run is visible to every shard before bound rises above it. A shard
//     loads safe first, then the list of runs, then polls the queues, so an
//     empty queue means that nothing below safe is left in it (I5).
//   - A packet is counted as diverted in the step that lets progress pass it, and
//     as relayed once all that was made of it is in the queues of shards. Both
//     counts, progress and what is granted change under one lock (I6). So equal
//     counts say that whatever the relay will ever send below safe is visible.
//   - granted = safe while the counts are equal, else min(safe, progress of the
//     relay), and never falls. The relay publishes safe as its progress after
//     every Load and all that follows from it, also if that was nothing (I7).
//   - A mark is put where safe rests, and every shard stops there before it
//     handles what came since (I8): what it does then depends on packets alone.
//     Between a mark by hand and the next admission live sources are not waited for.
//   - A cut, at which state is saved, is a mark at safe, or behind the record in whose
//     middle that is (I9): no shard is beyond, none needs anything further to get
//     there, and the relay has made nothing yet of what it takes behind it. The
//     relay stops there, too. A reader that waits between two records publishes that
//     the last one is whole.
//   - What is granted may go unsaid for a while: shards are woken when it has risen as
//     often as there are shards, by a batch each time. But whoever is about to wait, or
//     has ended, has them told all of it (I10). A writer that did not wait goes on, and
//     so comes to a full queue, a wait or its end.
//
// The counts are what makes traffic without fragments cost nothing: the relay
// sleeps, and nobody waits for it. It is woken when safe rises while it has
// something to do, when a run ends, whose queue it has to see closed, and at the
// end of input.
//
// Why it cannot deadlock: take the open run with the least progress P. If P is
// at or above bound, the scheduler opens the next file. Otherwise safe = P. If
// the run's reader does not wait, it runs, and publishes. If it waits, it waits
// on the queue that holds its oldest batch, and everything in that queue is
// below P = safe. If the queue is the relay's, the relay drains it unless it
// waits itself; if it is a shard's, the shard drains it once safe is granted, and
// that is so as soon as the relay has gone up to safe, for which it was woken.
// If the relay waits, then on the shard that its oldest batch is for; everything
// in that queue is below the progress that it published, which is below safe and
// therefore granted, so that shard drains it.
//
// Each rule has a test that breaks it on purpose and sees the model fail.
package merge
