package eviction

import (
	"context"
	"log/slog"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"

	"leme/nodeagent/pod"
)

// Machine tells what there is left.
type Machine interface {
	// Observe gives what can be observed, and whether images and containers have a disk of their own.
	Observe(ctx context.Context) (seen Observations, imagesApart bool, err error)
}

// Meter measures pods. Who cannot be measured is left out.
type Meter interface {
	// Consumed tells what pods take of memory and processes.
	Consumed(ctx context.Context, pods []*corev1.Pod) map[types.UID]Usage
	// Stored tells what pods take of the disk; when ctx ends meanwhile, as much of that as was found.
	Stored(ctx context.Context, pods []*corev1.Pod) map[types.UID]Usage
}

// Pods are those of the node.
type Pods interface {
	// Active lists those that may run.
	Active() []*corev1.Pod
	// End ends one, and gives what is closed when nothing of it is left.
	End(types.UID, pod.End) <-chan struct{}
}

// Reclaimer removes from one disk what no pod needs.
type Reclaimer interface {
	Reclaim(ctx context.Context, images, volumes bool) error
}

// Config is what a manager needs. Machine, Meter, Pods, Reclaimer, Events and Node must be set.
type Config struct {
	Thresholds []Threshold
	// MaxPodGrace bounds the time that pods get to end when a soft threshold is crossed; negative: they have their own.
	MaxPodGrace time.Duration
	// Transition is how long a condition of the node outlives its cause.
	Transition time.Duration
	Every      time.Duration // between looks at the machine; default 10 s
	Machine    Machine
	Meter      Meter
	Pods       Pods
	Reclaimer  Reclaimer
	Events     record.EventRecorder
	Node       *corev1.ObjectReference
	Changed    func() // called when the conditions have; default: nobody is
	Logger     *slog.Logger
}

func (c *Config) complete() {
	if c.Every == 0 {
		c.Every = 10 * time.Second
	}
	if c.Changed == nil {
		c.Changed = func() {}
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
}
