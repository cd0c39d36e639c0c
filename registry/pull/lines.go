package pull

import (
	"sync"
	"time"
)

const (
	// enoughToJudge is how many bytes of a download tell how fast a registry is.
	enoughToJudge = 4 << 20
	// fastLine is the bytes a second from which on layers come faster than an engine unpacks them.
	fastLine = 60 << 20
)

// lines remembers how fast each registry's layers came the last time. From a slow one, this process unpacks layers
// while they arrive; from a fast one that would only take the engine's processors away, which has all of it to do.
type lines struct {
	mu   sync.Mutex
	rate map[string]float64 // bytes a second, by the registry's host
}

func (l *lines) fast(host string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rate[host] >= fastLine
}

func (l *lines) note(host string, t *traffic) {
	bytes, took := t.total()
	if bytes < enoughToJudge || took <= 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rate == nil {
		l.rate = map[string]float64{}
	}
	l.rate[host] = float64(bytes) / took.Seconds()
}

// traffic is what a pull has downloaded so far.
type traffic struct {
	mu          sync.Mutex
	bytes       int64
	first, last time.Time
}

func (t *traffic) add(n int) {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.bytes == 0 {
		t.first = now
	}
	t.bytes, t.last = t.bytes+int64(n), now
}

func (t *traffic) total() (bytes int64, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.bytes, t.last.Sub(t.first)
}
