package nodeapi

import (
	"time"

	"leme/nodeagent/pod"
)

// nodeRate stands where a container's ID does for the whole machine.
const nodeRate = "node"

// rateWindow is over how long a rate is taken at least, whoever asks how often, once there has been that much time.
const rateWindow = 5 * time.Second

// cpuRates turns processor time into processors in use.
type cpuRates struct {
	of map[string]cpuRate
}

// cpuRate is since a moment before.
type cpuRate struct {
	since pod.Stats
	rate  uint64
	known bool
}

// update gives the rates, in billionths of a processor, of those that were there before.
func (c *cpuRates) update(all []usage) map[string]uint64 {
	rates, now := map[string]uint64{}, make(map[string]cpuRate, len(all))
	for _, u := range all {
		r, ok := c.of[u.ID]
		now[u.ID] = r.next(u.Stats, ok)
		if now[u.ID].known {
			rates[u.ID] = now[u.ID].rate
		}
	}
	c.of = now
	return rates
}

func (r cpuRate) next(s pod.Stats, ok bool) cpuRate {
	elapsed := s.Time.Sub(r.since.Time)
	switch {
	case !ok || s.CPU < r.since.CPU: // it has begun anew
		return cpuRate{since: s}
	case elapsed <= 0 || r.known && elapsed < rateWindow:
		return r
	}
	r.rate, r.known = uint64(float64(s.CPU-r.since.CPU)/elapsed.Seconds()), true
	if elapsed >= rateWindow {
		r.since = s
	}
	return r
}
