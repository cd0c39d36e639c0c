package pull

import "time"

// until waits until so many images are offered to the engine.
func (lo *loopback) until(enough func(offers int) bool) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		lo.mu.Lock()
		n := len(lo.offers)
		lo.mu.Unlock()
		if enough(n) {
			return
		}
	}
}
