package imagevolume

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// collectEvery is how often a store looks for files that nobody uses.
const collectEvery = 5 * time.Minute

// Run removes files that no pod has used for a while, until the context ends.
func (s *Store) Run(ctx context.Context) error {
	tick := time.NewTicker(collectEvery)
	defer tick.Stop()
	for {
		if err := s.Collect(time.Now()); err != nil {
			s.Logger.Warn("the files of unused images could not be removed", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Collect removes the files that no pod has used for the time that they are kept.
func (s *Store) Collect(now time.Time) error { return s.collect(now, s.Keep) }

// Free removes all files that no pod uses now, for a disk that is nearly full.
func (s *Store) Free() error { return s.collect(time.Now(), 0) }

func (s *Store) collect(now time.Time, keep time.Duration) error {
	idle, err := s.setAside(now, keep)
	for _, dir := range idle {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	return err
}

// setAside takes their names away from directories that nobody uses: who wants one now makes it anew. When one was last
// seen in use is its time of change.
func (s *Store) setAside(now time.Time, keep time.Duration) (idle []string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	used, err := s.marks()
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(s.Dir)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		dir, aside := filepath.Join(s.Dir, e.Name()), filepath.Join(s.Dir, going+e.Name())
		info, oneErr := e.Info()
		switch {
		case oneErr != nil:
		case used[e.Name()]:
			oneErr = os.Chtimes(dir, now, now)
		case now.Sub(info.ModTime()) >= keep:
			if oneErr = os.Rename(dir, aside); oneErr == nil {
				idle = append(idle, aside)
			}
		}
		err = errors.Join(err, oneErr)
	}
	return idle, err
}
