package pipeline

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"pcapdir/analysis/logs"
)

// packInterval is how often it is looked whether there are logs to pack.
const packInterval = time.Minute

// packRotated packs logs that were rotated, now and then, while that is wanted, until ctx
// ends. What fails is told once, and tried again.
func packRotated(ctx context.Context, s *setup, log *slog.Logger) {
	tick := time.NewTicker(packInterval)
	defer tick.Stop()
	told := ""
	for {
		var errs []error
		if cfg := s.Load(); cfg.Logs.Compress {
			for _, name := range logs.Names {
				errs = append(errs, logs.Pack(ctx, cfg.Logs.Dir, name))
			}
		}
		if ctx.Err() != nil {
			return
		}
		text := ""
		if err := errors.Join(errs...); err != nil {
			if text = err.Error(); text != told {
				log.Warn("rotated logs stay as they are for now", "error", err)
			}
		}
		told = text
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
