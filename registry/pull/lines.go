package pull

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// enoughToJudge is how many bytes of a download tell what it was like.
	enoughToJudge = 1 << 20
	// sampleEvery is the least time between two looks at the processors.
	sampleEvery = 100 * time.Millisecond
	// idleEnough is the share of the processors' time from which on there is some to spare.
	idleEnough = 0.25
)

// lines remembers how idle the machine was while it downloaded from each registry the last time. Where it waits for
// the line, this process unpacks layers while they arrive. Where layers come faster than they are unpacked, or the
// machine has other work, that is left to the engine, which then has fewer bytes to take in.
type lines struct {
	mu   sync.Mutex
	busy map[string]bool // by the registry's host
}

// waiting reports whether the machine has time to spare while it downloads from host; of an unknown one it is assumed.
func (l *lines) waiting(host string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.busy[host]
}

func (l *lines) note(host string, t *traffic) {
	bytes, idle := t.judge()
	if bytes < enoughToJudge {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.busy == nil {
		l.busy = map[string]bool{}
	}
	l.busy[host] = idle < idleEnough
}

// traffic is what a pull has downloaded so far, and what the processors did meanwhile.
type traffic struct {
	mu          sync.Mutex
	bytes       int64
	sampled     time.Time
	first, last processorTime
}

func (t *traffic) add(n int) {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bytes += int64(n)
	if now.Sub(t.sampled) < sampleEvery {
		return
	}
	t.last = readProcessorTime()
	if t.sampled.IsZero() {
		t.first = t.last
	}
	t.sampled = now
}

// judge gives the bytes that came, and the share of the processors' time that was idle until then.
func (t *traffic) judge() (bytes int64, idle float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := t.last.all - t.first.all
	if all == 0 {
		return t.bytes, 0 // over before there was a second look
	}
	return t.bytes, (t.last.idle - t.first.idle) / all
}

// processorTime is what the processors have done since the machine started, in ticks.
type processorTime struct{ idle, all float64 }

// readProcessorTime is zero where the system does not tell.
func readProcessorTime() (p processorTime) {
	file, err := os.Open("/proc/stat")
	if err != nil {
		return p
	}
	defer file.Close()
	line, err := bufio.NewReader(file).ReadString('\n')
	if err != nil {
		return p
	}
	const idle, wait, steal = 4, 5, 8 // guests' time is counted in the users' already
	for i, field := range strings.Fields(line) {
		ticks, err := strconv.ParseFloat(field, 64)
		if err != nil || i > steal {
			continue
		}
		p.all += ticks
		if i == idle || i == wait {
			p.idle += ticks
		}
	}
	return p
}
