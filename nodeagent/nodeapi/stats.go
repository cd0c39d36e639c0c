package nodeapi

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"leme/nodeagent/pod"
)

// usage is a container with what it consumed.
type usage struct {
	pod.Container
	pod.Stats
}

// measurement is what the whole node consumed up to a moment. It is never changed once it is there.
type measurement struct {
	node  pod.Stats
	all   []usage           // running containers, sandboxes too, in the order of pods and names
	rates map[string]uint64 // processors in use, in billionths, by the containers' IDs and nodeRate
	took  time.Time
}

const (
	// freshFor is how long a measurement serves whoever asks: however many ask, the node is measured once in it.
	freshFor = time.Second
	// statsParallel is how many containers are measured at once.
	statsParallel = 4
)

// gauge measures for all who ask.
type gauge struct {
	runtime Observer

	mu    sync.Mutex
	last  *measurement
	rates cpuRates
}

// measure gives what was measured within freshFor, or measures. Those who ask meanwhile wait for that and share it.
func (g *gauge) measure(ctx context.Context) (*measurement, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.last != nil && time.Since(g.last.took) < freshFor {
		return g.last, nil
	}
	all, err := g.usages(ctx)
	if err != nil {
		return nil, err
	}
	node, err := readMachine(time.Now())
	if err != nil {
		return nil, err
	}
	rates := g.rates.update(append(slices.Clone(all), usage{pod.Container{ID: nodeRate}, node}))
	g.last = &measurement{node: node, all: all, rates: rates, took: time.Now()}
	return g.last, nil
}

// usages asks what every running container consumed. Those that ended meanwhile are left out.
func (g *gauge) usages(ctx context.Context) ([]usage, error) {
	all, err := g.runtime.Containers(ctx)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(c pod.Container) bool { return c.State != pod.Running })
	slices.SortFunc(all, func(a, b pod.Container) int {
		return strings.Compare(
			a.PodNamespace+"/"+a.PodName+"/"+string(a.PodUID)+"/"+a.Name,
			b.PodNamespace+"/"+b.PodName+"/"+string(b.PodUID)+"/"+b.Name)
	})
	found := make([]usage, len(all))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(statsParallel)
	for i, c := range all {
		group.Go(func() error {
			stats, err := g.runtime.Stats(ctx, c.ID)
			if err == nil && !stats.Time.IsZero() {
				found[i] = usage{c, stats}
			}
			return ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("asking for the containers' consumption: %w", err)
	}
	return slices.DeleteFunc(found, func(u usage) bool { return u.ID == "" }), nil
}
