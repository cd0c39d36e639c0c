package dockertest

import (
	"bytes"
	"sync"
	"testing"
	"time"
)

// Eventually waits for what the other side does on its own time.
func Eventually(t testing.TB, condition func() bool) {
	t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatal("the condition did not come true in 20s")
		}
	}
}

// Screen collects what a session writes while the test looks at it.
type Screen struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (s *Screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.Write(p)
}

// String is all that was written.
func (s *Screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.String()
}
