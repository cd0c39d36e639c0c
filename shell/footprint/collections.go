package footprint

import (
	"runtime"
	"sync/atomic"
)

// collections tells of each collection of garbage that has ended, until stop is called. Those that come before somebody
// listens are one.
func collections() (collected <-chan struct{}, stop func()) {
	w := &watcher{ended: make(chan struct{}, 1)}
	w.arm()
	return w.ended, func() { w.stopped.Store(true) }
}

// watcher leaves behind an object that nobody holds: the next collection finds it.
type watcher struct {
	ended   chan struct{}
	stopped atomic.Bool
}

func (w *watcher) arm() {
	const alone = 16 // bytes: what is smaller may live on with its neighbours
	runtime.AddCleanup(new([alone]byte), func(w *watcher) { w.found() }, w)
}

func (w *watcher) found() {
	if w.stopped.Load() {
		return
	}
	select {
	case w.ended <- struct{}{}:
	default:
	}
	w.arm()
}
