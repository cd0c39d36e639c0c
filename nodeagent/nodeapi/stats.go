package nodeapi

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"leme/nodeagent/pod"
)

// usage is a container with what it consumed.
type usage struct {
	pod.Container
	pod.Stats
}

// statsParallel is how many containers the engine is asked about at once.
const statsParallel = 4

// usages asks what every running container consumed, sandboxes too, in the order of pods and names. Those that ended
// meanwhile are left out.
func (s *Server) usages(ctx context.Context) ([]usage, error) {
	all, err := s.Runtime.Containers(ctx)
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
			stats, err := s.Runtime.Stats(ctx, c.ID)
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

// summary answers as the kubelet's /stats/summary, of stats/v1alpha1, as far as processors and memory go.
func (s *Server) summary(w http.ResponseWriter, r *http.Request) {
	all, err := s.usages(r.Context())
	if err != nil {
		writeError(w, apierrors.NewInternalError(err))
		return
	}
	node, err := readMachine(time.Now())
	if err != nil {
		writeError(w, apierrors.NewInternalError(err))
		return
	}
	rates := s.rates.update(append(slices.Clone(all), usage{pod.Container{ID: nodeRate}, node}))
	writeJSON(w, http.StatusOK, summarize(s.Node, s.started, node, all, rates))
}

// nodeRate stands where a container's ID does for the whole machine.
const nodeRate = "node"

// cpuRates turns processor time into processors in use, between one question and the next.
type cpuRates struct {
	mu   sync.Mutex
	last map[string]pod.Stats
}

// update gives the rates since the last call, in billionths of a processor, of those that were there then.
func (c *cpuRates) update(all []usage) map[string]uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	rates, now := map[string]uint64{}, map[string]pod.Stats{}
	for _, u := range all {
		now[u.ID] = u.Stats
		before, ok := c.last[u.ID]
		elapsed := u.Time.Sub(before.Time)
		if ok && elapsed > 0 && u.CPU >= before.CPU {
			rates[u.ID] = uint64(float64(u.CPU-before.CPU) / elapsed.Seconds())
		}
	}
	c.last = now
	return rates
}
