package usage

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
)

// Agents asks a node's agent for a path of its API.
type Agents interface {
	AskAgent(ctx context.Context, node, path string) (io.ReadCloser, error)
}

// DefaultResolution is how often agents are asked.
const DefaultResolution = 15 * time.Second

const (
	askTimeout  = 10 * time.Second // of one agent, unless the resolution is shorter
	parallel    = 64               // agents asked at once
	longest     = 16 << 20         // of an agent's answer, in bytes: some ten thousand containers
	soon        = 2 * time.Second  // after which who has answered once is asked again: a second point says how much is used
	enough      = 2                // times between two rounds
	silentFor   = 3                // rounds, after which what a node said is no longer told
	metricsPath = "/metrics/resource"
)

// Collector asks and remembers. Make it with New, then call Run.
type Collector struct {
	resolution time.Duration
	memory     memory
	metrics    *metrics
	now        func() time.Time
}

// New makes a Collector that asks each agent once a resolution, 0 for the default. It knows nothing before it runs.
// It counts in metrics, nowhere where that is nil.
func New(resolution time.Duration, metrics prometheus.Registerer) *Collector {
	if resolution <= 0 {
		resolution = DefaultResolution
	}
	c := &Collector{resolution: resolution, memory: memory{nodes: map[string]*nodeMemory{}}, now: time.Now}
	c.metrics = newMetrics(metrics, &c.memory)
	return c
}

// Run asks the agents of the nodes that there are, round after round, until ctx ends; then it returns nil. Those of which
// nothing can be told yet do not have to wait for the next round.
func (c *Collector) Run(ctx context.Context, nodes func() []*corev1.Node, agents Agents) error {
	rounds, often := time.NewTicker(c.resolution), time.NewTicker(min(soon, c.resolution))
	defer rounds.Stop()
	defer often.Stop()
	asked := map[string]int{} // how often a node was, since the last round
	for c.round(ctx, nodes(), agents); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-rounds.C:
			clear(asked)
			c.round(ctx, nodes(), agents)
		case <-often.C:
			c.askAll(ctx, c.newcomers(nodes(), asked), agents, soon)
		}
	}
}

// newcomers are the ready nodes of which nothing can be told yet. Who says nothing when asked waits for the next round.
func (c *Collector) newcomers(nodes []*corev1.Node, asked map[string]int) []*corev1.Node {
	var list []*corev1.Node
	for _, n := range nodes {
		known := c.memory.of(n.Name)
		if !ready(n) || known != nil && known.node.known() || asked[n.Name] >= enough {
			continue
		}
		asked[n.Name]++
		list = append(list, n)
	}
	return list
}

// round asks every agent, those of ready nodes first: agents that do not answer may take the rest of the time.
func (c *Collector) round(ctx context.Context, nodes []*corev1.Node, agents Agents) {
	there := make(map[string]bool, len(nodes))
	for _, n := range nodes {
		there[n.Name] = true
	}
	c.memory.forget(there, c.now().Add(-silentFor*c.resolution))
	c.askAll(ctx, nodes, agents, c.resolution)
}

func (c *Collector) askAll(ctx context.Context, nodes []*corev1.Node, agents Agents, patience time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for _, node := range inOrder(nodes) {
		group.Go(func() error {
			if ctx.Err() == nil {
				c.ask(ctx, agents, node.Name, ready(node))
			}
			return nil
		})
	}
	_ = group.Wait() // no part of it fails
}

// inOrder gives the nodes in no order, so that none is always the last, but the ready ones before the others.
func inOrder(nodes []*corev1.Node) []*corev1.Node {
	nodes = slices.Clone(nodes)
	rand.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
	slices.SortStableFunc(nodes, func(a, b *corev1.Node) int {
		switch {
		case ready(a) == ready(b):
			return 0
		case ready(a):
			return -1
		}
		return 1
	})
	return nodes
}

func ready(n *corev1.Node) bool {
	return slices.ContainsFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	})
}

// ask takes in what one agent says. An agent that should answer and does not is told of.
func (c *Collector) ask(ctx context.Context, agents Agents, node string, expected bool) {
	ctx, cancel := context.WithTimeout(ctx, min(askTimeout, c.resolution))
	defer cancel()
	start := c.now()
	r, err := c.fetch(ctx, agents, node)
	c.metrics.asked(c.now().Sub(start), err == nil)
	if err != nil {
		level := slog.LevelDebug
		if expected {
			level = slog.LevelWarn
		}
		slog.Log(ctx, level, "what a node uses is not known", "node", node, "err", err)
		return
	}
	c.memory.learn(node, r, c.now(), c.resolution)
}

func (c *Collector) fetch(ctx context.Context, agents Agents, node string) (report, error) {
	body, err := agents.AskAgent(ctx, node, metricsPath)
	if err != nil {
		return report{}, err
	}
	defer body.Close()
	bounded := &io.LimitedReader{R: body, N: longest}
	r, err := parse(bounded, c.now())
	if bounded.N == 0 {
		return report{}, fmt.Errorf("node %s answered more than %d bytes", node, longest)
	}
	return r, err
}
