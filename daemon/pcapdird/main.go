// Command pcapdird puts the packets of capture files into one time order, tracks
// connections as Zeek does, and reports what is unusual.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"pcapdir/daemon/cli"
)

func main() { os.Exit(run()) }

// run turns the first SIGINT or SIGTERM into a clean stop, and lets a second
// one kill. A clean stop by a signal exits with 128 and its number.
func run() int {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	ctx, cancel := context.WithCancelCause(context.Background())
	go func() {
		s := <-signals
		signal.Stop(signals)
		if s, ok := s.(syscall.Signal); ok {
			cancel(cli.Stopped{Signal: s})
		}
	}()
	return cli.Main(ctx, os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
}
