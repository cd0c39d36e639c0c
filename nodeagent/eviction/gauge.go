package eviction

import (
	"context"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// gauge measures the disks of pods that have limits of it, one pod after the other. Walking through many files takes its
// time: whoever took long is measured again only after a rest of many times that, so that all of it stays a small part
// of what the machine can do.
type gauge struct {
	meter Meter
	known map[types.UID]reading
}

type reading struct {
	usage Usage
	again time.Time
}

// rest is how many times what a measurement took has to pass before the next.
const rest = 20

// patience is how long measuring one pod may take. What was found until then counts.
const patience = 10 * time.Second

func (g *gauge) measure(ctx context.Context, p *corev1.Pod) (Usage, bool) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	usage, ok := g.meter.Stored(ctx, []*corev1.Pod{p})[p.UID]
	return usage, ok
}

// read gives the newest measurements of those that have limits.
func (g *gauge) read(ctx context.Context, pods []*corev1.Pod) map[types.UID]Usage {
	found, there := map[types.UID]Usage{}, map[types.UID]bool{}
	for _, p := range pods {
		if !limited(p) {
			continue
		}
		there[p.UID] = true
		last, known := g.known[p.UID]
		if begin := time.Now(); !known || !begin.Before(last.again) {
			usage, ok := g.measure(ctx, p)
			if !ok {
				continue
			}
			last = reading{usage, time.Now().Add(rest * time.Since(begin))}
			g.known[p.UID] = last
		}
		found[p.UID] = last.usage
	}
	maps.DeleteFunc(g.known, func(uid types.UID, _ reading) bool { return !there[uid] })
	return found
}
