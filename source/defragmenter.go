package source

import (
	"context"

	"pcapdir/source/defrag"
	"pcapdir/source/merge"
	"pcapdir/source/packet"
	"pcapdir/source/snap"
)

// Defragmenter stands between the readers and the shards: fragments of all files
// come to it in the one order, in every hash mode, and a datagram goes to the
// shard that its packet belongs to, in the place of the fragment that completed
// it. One for all shards, because a datagram may hold a tunnel, whose inner packets
// belong to other shards than the fragments of it.
type Defragmenter struct {
	frontier   *merge.Frontier
	router     Router
	reassembly *Reassembly
	save       func(packet.Order) // at a cut

	taken, made uint64 // packets, once Run has ended
}

// NewDefragmenter makes the defragmenter of f, of which there is one. save is called
// where state is saved (merge.Frontier.Cut), on the goroutine of Run: all that lies below
// the key has been routed then, and no shard handles anything behind it before save returns.
func NewDefragmenter(cfg defrag.Config, router Router, f *merge.Frontier, save func(key packet.Order)) *Defragmenter {
	return &Defragmenter{frontier: f, router: router, reassembly: NewReassembly(cfg), save: save}
}

// Run works until the input ends, or with the error of ctx.
func (d *Defragmenter) Run(ctx context.Context) error {
	relay := merge.NewRelay(ctx, d.frontier)
	defer func() { d.taken, d.made = relay.Passed() }()
	for {
		safe := relay.Load()
		for f, ok := relay.Next(); ok; f, ok = relay.Next() {
			if !d.reassembly.Add(f.Packet, f.Data, func(p *packet.Packet) bool {
				return relay.Append(d.router.Route(p), f.File, p)
			}) {
				return ctx.Err()
			}
		}
		d.reassembly.Expire(safe.Eff)
		if !relay.Advance(safe) {
			return ctx.Err()
		}
		if safe == packet.MaxOrder {
			return nil
		}
		if relay.Cut() {
			d.save(safe)
			relay.Pass()
			continue
		}
		if err := relay.Wait(); err != nil {
			return err
		}
	}
}

// Save writes the datagrams in the making, at a moment when Run does not work on
// them.
func (d *Defragmenter) Save(w *snap.Writer) { d.reassembly.Save(w) }

// Load reads what Save wrote, before Run.
func (d *Defragmenter) Load(r *snap.Reader) error { return d.reassembly.Load(r) }

// Counts are the totals of fragments and datagrams so far.
func (d *Defragmenter) Counts() defrag.Counts { return d.reassembly.Counts() }

// Passed is how many packets the defragmenter took from the readers, and how many
// it gave to the shards. It may be asked when Run has returned.
func (d *Defragmenter) Passed() (taken, made uint64) { return d.taken, d.made }
