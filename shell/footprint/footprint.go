package footprint

import (
	"context"
	"log/slog"
	"runtime/debug"
	"time"
)

const (
	start = 2 * time.Second  // how long a process starts
	looks = 10 * time.Second // how often it is found out whether the process works
	share = 20               // a process rests that uses less than this part of one processor
)

// Keep keeps the process small while it rests, until ctx ends. Garbage is collected whenever the heap has grown by
// percent, and while the process rests by half of that. It returns no error.
func Keep(ctx context.Context, percent int) error {
	collected, stop := collections()
	defer stop()
	tick := time.NewTicker(start)
	defer tick.Stop()
	defer debug.SetGCPercent(debug.SetGCPercent(percent))
	k := keeper{percent: percent, since: time.Now(), used: processorTime()}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-collected:
			k.collected()
		case now := <-tick.C:
			tick.Reset(looks)
			k.look(now, processorTime())
		}
	}
}

// keeper knows whether the process rests.
type keeper struct {
	percent int
	started bool
	resting bool
	since   time.Time     // when it was looked at last
	used    time.Duration // the processor's time until then
}

// look sees what the process has done since the last time. At rest the files' pages go that it has brought in meanwhile, and
// those that starting has in any case. When it comes to rest the heap is brought to what lives.
func (k *keeper) look(now time.Time, used time.Duration) {
	was := k.resting
	k.resting = rests(now.Sub(k.since), used-k.used)
	k.since, k.used = now, used
	switch {
	case k.resting && !was:
		debug.SetGCPercent(k.percent / 2)
		debug.FreeOSMemory()
	case was && !k.resting:
		debug.SetGCPercent(k.percent)
	}
	if k.resting || !k.started {
		release()
	}
	k.started = true
}

// collected is told when garbage has been collected.
func (k *keeper) collected() {
	if k.resting {
		release()
	}
}

// rests tells whether a process had little to do.
func rests(elapsed, used time.Duration) bool { return used < elapsed/share }

// release gives back the pages of files.
func release() {
	if err := releaseFiles(); err != nil {
		slog.Debug("giving back pages of files", "err", err)
	}
}
