package rest

import (
	"sync"
	"time"
)

// watchWriteTime is how long a watch's client may take nothing of what there is for it. Whatever has happened since then
// is in memory for it alone.
const watchWriteTime = 30 * time.Second

// patience ends what takes too long. Begin and pause cost no more than a timer does.
type patience struct {
	time  time.Duration
	timer *time.Timer

	mu    sync.Mutex
	ended bool
}

// newPatience calls giveUp once when something has begun and neither paused nor ended in time.
func newPatience(d time.Duration, giveUp func()) *patience {
	p := &patience{time: d}
	p.timer = time.AfterFunc(d, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if !p.ended {
			giveUp()
		}
	})
	p.timer.Stop()
	return p
}

func (p *patience) begin() { p.timer.Reset(p.time) }
func (p *patience) pause() { p.timer.Stop() }

// end returns when giveUp is not, and will not be, running.
func (p *patience) end() {
	p.timer.Stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
}
