package staticpod

import (
	"context"
	"log/slog"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	readEvery = 20 * time.Second       // though nothing is said to have changed
	settle    = 100 * time.Millisecond // after a change, for the others of whoever writes
)

// changes tells when to read again. Without a watcher it does so by the clock alone.
type changes struct {
	watcher *fsnotify.Watcher
	log     *slog.Logger
}

func (s Source) watch() changes {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		s.Logger.Warn("cannot watch the manifests of static pods; they are read now and then", "path", s.Path, "error", err)
	}
	return changes{watcher, s.Logger}
}

func (c changes) close() {
	if c.watcher != nil {
		c.watcher.Close()
	}
}

// follow watches a folder from now on. One that is not there, or that another has taken the place of, is found when it
// is next read.
func (c changes) follow(path string) {
	if c.watcher != nil {
		_ = c.watcher.Add(path)
	}
}

// wait returns when something has changed and it is quiet again, or the time has come; false when the context has ended.
func (c changes) wait(ctx context.Context) bool {
	var events <-chan fsnotify.Event
	var errs <-chan error
	if c.watcher != nil {
		events, errs = c.watcher.Events, c.watcher.Errors
	}
	timer := time.NewTimer(readEvery)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-timer.C:
			return true
		case <-events:
			timer.Reset(settle)
		case err := <-errs:
			c.log.Debug("a change of a static pod's manifest may have been missed", "error", err)
			timer.Reset(settle)
		}
	}
}
