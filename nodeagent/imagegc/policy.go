// Package imagegc removes images that no container is made of, by the kubelet's rules: when the disk that they are on is
// nearly full, down to where there is room again, the longest unused first; those unused for longer than a maximum age;
// and all of them when the node is short of disk.
//
//	c := imagegc.New(imagegc.Config{Policy: imagegc.Policy{High: 85, Low: 80, MinAge: 2 * time.Minute}, Engine: engine, …})
//	err := c.Run(ctx)
//
// Only images that the agent has brought are removed: a Docker host is its owner's too, who has built or pulled the others.
package imagegc

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Policy says when images go.
type Policy struct {
	High, Low int           // percent of the disk in use: above High images go until it is Low
	MinAge    time.Duration // since an image was first seen, before which it stays
	MaxAge    time.Duration // since an image was last in use, after which it goes though there is room; 0: never
}

// Validate checks a policy as the kubelet does.
func (p Policy) Validate() error {
	switch {
	case p.High < 0 || p.High > 100:
		return fmt.Errorf("invalid HighThresholdPercent %d, must be in range [0-100]", p.High)
	case p.Low < 0 || p.Low > 100:
		return fmt.Errorf("invalid LowThresholdPercent %d, must be in range [0-100]", p.Low)
	case p.Low > p.High:
		return fmt.Errorf("LowThresholdPercent %d can not be higher than HighThresholdPercent %d", p.Low, p.High)
	case p.MaxAge != 0 && p.MaxAge < p.MinAge:
		return fmt.Errorf("the maximum age of unused images, %s, is less than the minimum, %s", p.MaxAge, p.MinAge)
	}
	return nil
}

// Everything is more than any disk holds.
const Everything = int64(1<<63 - 1)

// excess is how many bytes must go from a disk: what it has over Low once it has reached High, else 0.
func (p Policy) excess(capacity, available int64) int64 {
	available = min(available, capacity)
	if capacity <= 0 || p.High >= 100 || usedPercent(capacity, available) < p.High {
		return 0
	}
	return max(capacity*int64(100-p.Low)/100-available, 0)
}

func usedPercent(capacity, available int64) int {
	return 100 - int(float64(available)*100/float64(capacity))
}

// entry is what is known of an image.
type entry struct {
	ID    string
	Size  int64
	First time.Time // when it was first seen
	Last  time.Time // when it was last in use; zero: not since it was seen
	Used  bool      // now
	Ours  bool      // the agent has brought it
}

// oldest lists the images that nobody uses, the longest unused first.
func oldest(records []entry) []entry {
	var idle []entry
	for _, r := range records {
		if r.Ours && !r.Used {
			idle = append(idle, r)
		}
	}
	slices.SortFunc(idle, func(a, b entry) int {
		return cmp.Or(a.Last.Compare(b.Last), a.First.Compare(b.First), cmp.Compare(a.ID, b.ID))
	})
	return idle
}

// aged lists the images that have been unused for longer than the maximum age; up is since when the agent has been able
// to know.
func (p Policy) aged(records []entry, up, now time.Time) []entry {
	if p.MaxAge == 0 || now.Sub(up) <= p.MaxAge {
		return nil
	}
	return slices.DeleteFunc(oldest(records), func(r entry) bool {
		since := r.Last
		if since.IsZero() {
			since = r.First
		}
		return now.Sub(since) <= p.MaxAge
	})
}

// spare lists the images whose going frees this many bytes, as far as there are that many old enough.
func (p Policy) spare(records []entry, bytes int64, now time.Time) []entry {
	var list []entry
	for _, r := range oldest(records) {
		if bytes <= 0 {
			break
		}
		if now.Sub(r.First) < p.MinAge {
			continue
		}
		list = append(list, r)
		bytes -= r.Size
	}
	return list
}
