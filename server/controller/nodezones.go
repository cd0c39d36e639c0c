package controller

import (
	"errors"
	"sync"
	"time"

	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/component-helpers/node/topology"
)

// NodeEviction bounds how fast pods are driven from nodes that are lost.
type NodeEviction struct {
	Rate          float64       // nodes a second in each zone
	SecondaryRate float64       // in a large zone that is ill
	LargeCluster  int           // zones of more nodes are large; in others that are ill nothing is evicted
	UnhealthyZone float64       // what part of a zone must be lost for it to be ill
	StartupGrace  time.Duration // for nodes that have told nothing yet
}

// DefaultNodeEviction is as in Kubernetes.
func DefaultNodeEviction() NodeEviction {
	return NodeEviction{Rate: 0.1, SecondaryRate: 0.01, LargeCluster: 50, UnhealthyZone: 0.55, StartupGrace: time.Minute}
}

func (n NodeEviction) validate() error {
	if n.Rate < 0 || n.SecondaryRate < 0 || n.LargeCluster < 0 || n.UnhealthyZone < 0 || n.UnhealthyZone > 1 || n.StartupGrace < 0 {
		return errors.New("controller: rates of node eviction are not negative, and the part of a zone that makes it ill is between 0 and 1")
	}
	return nil
}

// fewestIll is how many lost nodes make a zone ill; fewer say nothing about it.
const fewestIll = 3

// zoneState is how a zone is doing.
type zoneState int

const (
	zoneNormal zoneState = iota
	zoneIll              // much of it is lost
	zoneLost             // all of it is
)

// zoneStateOf judges a zone by how many of its nodes are ready, and how many are not.
func (n NodeEviction) zoneStateOf(ready, lost int) zoneState {
	switch {
	case ready == 0 && lost > 0:
		return zoneLost
	case lost >= fewestIll && float64(lost)/float64(lost+ready) >= n.UnhealthyZone:
		return zoneIll
	}
	return zoneNormal
}

// rateOf is how many nodes a second may lose their pods in a zone of a size.
func (n NodeEviction) rateOf(state zoneState, size int) rate.Limit {
	switch {
	case state != zoneIll:
		return rate.Limit(n.Rate)
	case size > n.LargeCluster:
		return rate.Limit(n.SecondaryRate)
	}
	return 0
}

// zones is what is known of all nodes, by their zones.
type zones struct {
	eviction NodeEviction

	mu    sync.Mutex
	nodes map[string]zoneNode
	zones map[string]*zone
}

type zoneNode struct {
	zone           string
	ready, ignored bool
}

type zone struct {
	ready, lost int
	state       zoneState
	limit       *rate.Limiter
}

func newZones(eviction NodeEviction) *zones {
	return &zones{eviction: eviction, nodes: make(map[string]zoneNode), zones: make(map[string]*zone)}
}

// see takes in how a node is; it tells whether that has changed what may be done to nodes.
func (z *zones) see(node *corev1.Node, now time.Time) (changed bool) {
	_, ignored := node.Labels[labelExcludedFromDisruption]
	return z.put(node.Name, &zoneNode{
		zone:    topology.GetZoneKey(node),
		ready:   statusOf(node.Status.Conditions, corev1.NodeReady) == corev1.ConditionTrue,
		ignored: ignored,
	}, now)
}

// labelExcludedFromDisruption is on nodes that say nothing about their zone.
const labelExcludedFromDisruption = "node.kubernetes.io/exclude-disruption"

// forget takes in that a node is gone.
func (z *zones) forget(name string, now time.Time) (changed bool) { return z.put(name, nil, now) }

func (z *zones) put(name string, next *zoneNode, now time.Time) (changed bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	wasLost := z.allLost()
	old, known := z.nodes[name]
	if known {
		z.count(old, -1)
	}
	delete(z.nodes, name)
	if next != nil {
		z.nodes[name] = *next
		z.count(*next, 1)
	}
	if known {
		changed = z.judge(old.zone, now)
	}
	if next != nil {
		changed = z.judge(next.zone, now) || changed
	}
	return changed || wasLost != z.allLost()
}

func (z *zones) count(n zoneNode, by int) {
	of := z.zones[n.zone]
	if of == nil {
		of = &zone{limit: rate.NewLimiter(rate.Limit(z.eviction.Rate), 1)}
		z.zones[n.zone] = of
	}
	switch {
	case n.ignored:
	case n.ready:
		of.ready += by
	default:
		of.lost += by
	}
}

// judge brings a zone's state and its limit up to date.
func (z *zones) judge(name string, now time.Time) (changed bool) {
	of := z.zones[name]
	was := of.state
	of.state = z.eviction.zoneStateOf(of.ready, of.lost)
	of.limit.SetLimitAt(now, z.eviction.rateOf(of.state, of.ready+of.lost))
	return was != of.state
}

// allLost tells that no node at all is ready: then it is more likely this server that is cut off.
func (z *zones) allLost() bool {
	lost := false
	for _, of := range z.zones {
		switch {
		case of.ready > 0:
			return false
		case of.lost > 0:
			lost = true
		}
	}
	return lost
}

// disrupted is allLost for others.
func (z *zones) disrupted() bool {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.allLost()
}

// mayEvict tells whether a node may lose its pods now, which counts then; or else in which time to ask again, 0 for
// when something has changed.
func (z *zones) mayEvict(name string, now time.Time) (wait time.Duration, ok bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	n, known := z.nodes[name]
	if !known {
		return 0, false
	}
	limit := z.zones[n.zone].limit
	if limit.Limit() == 0 {
		return 0, false
	}
	r := limit.ReserveN(now, 1)
	if wait = r.DelayFrom(now); wait > 0 {
		r.CancelAt(now)
		return wait, false
	}
	return 0, true
}
