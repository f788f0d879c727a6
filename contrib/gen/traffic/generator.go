package traffic

// Generator makes frames one after another. It is not for several goroutines.
type Generator struct {
	config  Config
	shape   *shape
	seed    uint64
	random  random
	flows   []flow
	wheel   *wheel
	block   *block
	begin   int64 // nanoseconds since 1970
	made    uint64
	started uint64
	frame   Frame
	buf     [maxFrame]byte
}

// New is a generator at its first frame. Memory is 28 bytes a flow and 1 MiB,
// however many packets. An unknown kind or a number out of range is an error.
func New(c Config) (*Generator, error) {
	shape, err := c.shapeOf()
	if err != nil {
		return nil, err
	}
	g := &Generator{
		config: c,
		shape:  shape,
		seed:   mix64(c.Seed + golden),
		random: random(mix64(c.Seed ^ golden)),
		flows:  make([]flow, c.Flows),
		wheel:  newWheel(c.Flows),
		block:  newBlock(c.Seed),
		begin:  c.Start.UnixNano(),
	}
	for i := range g.flows {
		g.start(&g.flows[i])
		g.wheel.put(uint32(i), g.random.next()%10_000)
	}
	return g, nil
}

// Next is the next frame, or nil behind the last. It holds until the next call.
// Stamps never go back; those of one conversation are at least a millisecond apart.
func (g *Generator) Next() *Frame {
	if g.made >= g.config.Packets {
		return nil
	}
	i, nanos := g.wheel.take()
	f := &g.flows[i]
	p := g.profile(f.id)
	id := f.id
	s, ticks, over := g.advance(f, &p)
	n := g.build(&p, &s)
	if over {
		g.start(f)
		ticks = g.think()
	}
	g.wheel.put(i, ticks)
	g.made++
	g.frame = Frame{Nanos: g.begin + nanos, Wire: n, Flow: id, Bytes: g.buf[:min(n, g.config.Snap)]}
	return &g.frame
}

// Config is what the generator was made with, defaults filled in.
func (g *Generator) Config() Config { return g.config }

// Started is the highest number of a conversation so far; of the highest, one for
// each flow that is open at once, some have no frame yet.
func (g *Generator) Started() uint64 { return g.started }
