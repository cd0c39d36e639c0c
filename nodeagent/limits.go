package nodeagent

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"leme/nodeagent/eviction"
	"leme/nodeagent/imagegc"
)

// Limits says how much of the machine pods get, and what happens when it runs short. The zero value leaves pods all of
// it and evicts nobody.
type Limits struct {
	MaxPods     int // default 110
	PodsPerCore int // fewer than MaxPods on a machine of few processors; 0: no such limit
	// KubeReserved and SystemReserved are kept from pods: for the agent and the engine, and for the rest of the system.
	KubeReserved, SystemReserved corev1.ResourceList

	Eviction         []eviction.Threshold
	EvictionMaxGrace time.Duration // at soft thresholds; negative: pods have their own
	Transition       time.Duration // how long a condition of the node outlives its cause
	ImageGC          imagegc.Policy

	// ShutdownGrace is how long a shutdown of the machine is held up for pods to end, critical ones in the last
	// ShutdownGraceCritical of it. 0: it is not.
	ShutdownGrace, ShutdownGraceCritical time.Duration
}

// maxPods is how many pods a node takes (the kubelet's default).
const maxPods = 110

func (l *Limits) validate() error {
	if l.MaxPods == 0 {
		l.MaxPods = maxPods
	}
	if l.ImageGC == (imagegc.Policy{}) {
		l.ImageGC = imagegc.Policy{High: 100, Low: 100}
	}
	switch {
	case l.MaxPods < 0:
		return fmt.Errorf("max pods %d must not be a negative number", l.MaxPods)
	case l.PodsPerCore < 0:
		return fmt.Errorf("pods per core %d must not be a negative number", l.PodsPerCore)
	case l.Transition < 0:
		return fmt.Errorf("eviction pressure transition period %s must not be negative", l.Transition)
	case l.ShutdownGrace < 0 || l.ShutdownGraceCritical < 0 || l.ShutdownGraceCritical > l.ShutdownGrace:
		return fmt.Errorf("shutdown grace period of critical pods %s must be at most the shutdown grace period %s, and neither negative",
			l.ShutdownGraceCritical, l.ShutdownGrace)
	case l.ShutdownGrace > 0 && l.ShutdownGrace < time.Second || l.ShutdownGraceCritical > 0 && l.ShutdownGraceCritical < time.Second:
		return errors.New("shutdown grace periods must be either zero or at least a second")
	}
	for _, list := range []corev1.ResourceList{l.KubeReserved, l.SystemReserved} {
		for name, q := range list {
			if !slices.Contains(reservable, name) {
				return fmt.Errorf("cannot reserve %q resource, only %s", name, reservable)
			}
			if q.Sign() < 0 {
				return fmt.Errorf("resource quantity for %q cannot be negative: %s", name, q.String())
			}
		}
	}
	return l.ImageGC.Validate()
}

// reservable are the resources that can be kept from pods. The kubelet knows pid too, which it holds pods to by a cgroup
// around them all.
var reservable = []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage}

// pods is how many pods a machine takes.
func (l Limits) pods(cpus int) int {
	if l.PodsPerCore > 0 {
		return min(cpus*l.PodsPerCore, l.MaxPods)
	}
	return l.MaxPods
}

// reserved is what pods do not get: what is kept for others, and what is always to be free of memory and disk.
func (l Limits) reserved(capacity corev1.ResourceList) corev1.ResourceList {
	sum := corev1.ResourceList{}
	add := func(name corev1.ResourceName, q resource.Quantity) {
		total := sum[name]
		total.Add(q)
		sum[name] = total
	}
	for _, list := range []corev1.ResourceList{l.KubeReserved, l.SystemReserved} {
		for name, q := range list {
			add(name, q)
		}
	}
	for _, t := range l.Eviction {
		if t.Hard() && (t.Signal == eviction.MemoryAvailable || t.Signal == eviction.NodeFsAvailable) {
			name := t.Signal.Resource()
			add(name, *resource.NewQuantity(t.Value.Of(capacity.Name(name, resource.BinarySI).Value()), resource.BinarySI))
		}
	}
	return sum
}

// keptFromPods is what is reserved of something, without what is to be free of what pods have.
func (l Limits) keptFromPods(name corev1.ResourceName) int64 {
	var sum int64
	for _, list := range []corev1.ResourceList{l.KubeReserved, l.SystemReserved} {
		q := list[name]
		sum += q.Value()
	}
	return sum
}

// thresholds are those that were given, and, where memory is kept from pods, those by which they leave it to others. Where
// none is, the machine's own say the same.
func (l Limits) thresholds() []eviction.Threshold {
	if l.keptFromPods(corev1.ResourceMemory) == 0 {
		return l.Eviction
	}
	return slices.Concat(l.Eviction, eviction.OfAllocatable(l.Eviction))
}

// allocatable is what pods may ask for of a machine. Of huge pages that is nothing, as the engine cannot hold containers
// to any number of them; and they are no memory for others either.
func (l Limits) allocatable(capacity corev1.ResourceList) corev1.ResourceList {
	list, reserved := corev1.ResourceList{}, l.reserved(capacity)
	var pages resource.Quantity
	for name, q := range capacity {
		left := q.DeepCopy()
		switch {
		case hugePages(name):
			pages.Add(q)
			left = *resource.NewQuantity(0, resource.BinarySI)
		default:
			left.Sub(reserved[name])
		}
		list[name] = left
	}
	memory := list[corev1.ResourceMemory]
	memory.Sub(pages)
	list[corev1.ResourceMemory] = memory
	for name, q := range list {
		if q.Sign() < 0 {
			list[name] = *resource.NewQuantity(0, q.Format)
		}
	}
	return list
}

// fits checks that a machine has what is reserved.
func (l Limits) fits(capacity corev1.ResourceList) error {
	var problems []string
	for name, q := range l.reserved(capacity) {
		if has := capacity[name]; q.Cmp(has) > 0 {
			problems = append(problems, fmt.Sprintf("Resource %q has a reservation of %s but capacity of %s. Expected capacity >= reservation.", name, q.String(), has.String()))
		}
	}
	if len(problems) > 0 {
		slices.Sort(problems)
		return fmt.Errorf("invalid Node Allocatable configuration. %s", strings.Join(problems, " "))
	}
	return nil
}

// ParseResources reads quantities by resource, as flags have them.
func ParseResources(amounts map[string]string) (corev1.ResourceList, error) {
	list := corev1.ResourceList{}
	for name, text := range amounts {
		q, err := resource.ParseQuantity(text)
		if err != nil {
			return nil, fmt.Errorf("failed to parse quantity %q for %q resource: %w", text, name, err)
		}
		list[corev1.ResourceName(name)] = q
	}
	return list, nil
}

func hugePages(name corev1.ResourceName) bool {
	return strings.HasPrefix(string(name), corev1.ResourceHugePagesPrefix)
}
