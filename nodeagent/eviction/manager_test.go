package eviction

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"

	"leme/nodeagent/disk"
	"leme/nodeagent/pod"
)

// node is a made-up one: what there is, who runs, and what happened.
type node struct {
	mu      sync.Mutex
	seen    Observations
	apart   bool
	active  []*corev1.Pod
	usage   map[types.UID]Usage
	reclaim func()
	freed   func(*corev1.Pod) // what the end of a pod does to the node
	story   []string
	asked   int // how often disks were measured
}

func (n *node) Observe(context.Context) (Observations, bool, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	seen := Observations{}
	for s, o := range n.seen {
		seen[s] = o
	}
	return seen, n.apart, nil
}

func (n *node) Consumed(context.Context, []*corev1.Pod) map[types.UID]Usage { return n.usage }
func (n *node) Stored(context.Context, []*corev1.Pod) map[types.UID]Usage {
	n.asked++
	return n.usage
}

func (n *node) Active() []*corev1.Pod {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]*corev1.Pod(nil), n.active...)
}

// End takes a second.
func (n *node) End(uid types.UID, e pod.End) <-chan struct{} {
	n.mu.Lock()
	n.story = append(n.story, fmt.Sprintf("end %s within %s, %t", uid, e.Grace, e.Disruption != ""))
	n.mu.Unlock()
	done := make(chan struct{})
	time.AfterFunc(time.Second, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		for i, p := range n.active {
			if p.UID == uid {
				n.active = append(n.active[:i], n.active[i+1:]...)
				if n.freed != nil {
					n.freed(p)
				}
				break
			}
		}
		close(done)
	})
	return done
}

func (n *node) Reclaim(_ context.Context, images, volumes bool) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.story = append(n.story, fmt.Sprintf("reclaim %t %t", images, volumes))
	if n.reclaim != nil {
		n.reclaim()
	}
	return nil
}

func (n *node) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Join(n.story, "; ")
}

// watch runs a manager over the node for a while of the bubble's time.
func (n *node) watch(t *testing.T, c Config, while time.Duration) *Manager {
	t.Helper()
	c.Machine, c.Meter, c.Pods, c.Reclaimer = n, n, n, n
	c.Node, c.Logger = &corev1.ObjectReference{Kind: "Node", Name: "n"}, slog.New(slog.DiscardHandler)
	c.Events = &record.FakeRecorder{}
	m := New(c)
	ctx, cancel := context.WithTimeout(t.Context(), while)
	defer cancel()
	if err := m.Run(ctx); err != nil {
		t.Error(err)
	}
	return m
}

func hard(signal Signal, least int64) []Threshold {
	return []Threshold{{Signal: signal, Value: Amount{Count: least}}}
}

// TestMemoryPressure: pods go one by one, the greediest first, until there is enough; critical ones never.
func TestMemoryPressure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &node{seen: Observations{MemoryAvailable: {50, 1000}}, usage: map[types.UID]Usage{}}
		for name, takes := range map[string]int64{"critical": 900, "large": 30, "middle": 30, "small": 5} {
			priority := int32(0)
			if name == "critical" {
				priority = 2_000_000_000
			}
			p := one(name, priority)
			n.usage[p.UID] = Usage{Containers: []ContainerUsage{{Name: "app", Memory: takes}}}
			n.active = append(n.active, p)
		}
		n.usage["large"] = Usage{Containers: []ContainerUsage{{Name: "app", Memory: 40}}}
		n.freed = func(p *corev1.Pod) {
			o := n.seen[MemoryAvailable]
			o.Available += n.usage[p.UID].memory()
			n.seen[MemoryAvailable] = o
		}
		m := n.watch(t, Config{Thresholds: hard(MemoryAvailable, 100), Transition: 5 * time.Minute}, 30*time.Second)
		if got, want := n.String(), "end large within 1s, true; end middle within 1s, true"; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if c := fmt.Sprint(m.Conditions()); c != "[MemoryPressure]" {
			t.Errorf("conditions %s", c)
		}
	})
}

// TestSoftGrace: pods get as long as they are given, at most their own time.
func TestSoftGrace(t *testing.T) {
	for _, c := range []struct {
		most time.Duration
		own  *int64
		want time.Duration
	}{
		{10 * time.Second, nil, 10 * time.Second},
		{10 * time.Second, new(int64), time.Second},
		{0, nil, time.Second},
		{-1, nil, 0},
	} {
		m := &Manager{Config: Config{MaxPodGrace: c.most}}
		p := one("web", 0)
		p.Spec.TerminationGracePeriodSeconds = c.own
		if got := m.grace(p, Threshold{Grace: time.Minute}); got != c.want {
			t.Errorf("at most %s: got %s, want %s", c.most, got, c.want)
		}
	}
}

// TestReclaim: a short disk is first cleaned of what nobody needs: of the disk that is short.
func TestReclaim(t *testing.T) {
	for _, c := range []struct {
		name  string
		short Signal
		apart bool
		helps bool
		want  string
	}{
		{"that is enough", NodeFsAvailable, false, true, "reclaim true true"},
		{"that is not enough", NodeFsAvailable, false, false, "reclaim true true; end web within 1s, true"},
		{"the images' own disk", ImageFsAvailable, true, true, "reclaim true false"},
		{"the volumes' own disk", NodeFsInodesFree, true, true, "reclaim false true"},
		{"processes", PIDAvailable, false, false, "end web within 1s, true"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &node{seen: Observations{c.short: {5, 1000}}, apart: c.apart, active: []*corev1.Pod{one("web", 0)}}
				enough := func() { n.seen[c.short] = Observation{500, 1000} }
				if c.helps {
					n.reclaim = enough
				}
				n.freed = func(*corev1.Pod) { enough() }
				n.watch(t, Config{Thresholds: hard(c.short, 10)}, 15*time.Second)
				if got := n.String(); got != c.want {
					t.Errorf("got  %s\nwant %s", got, c.want)
				}
			})
		})
	}
}

// TestLimitsEnforced: a pod that takes more than it may goes, though the node has enough; its disk is not measured all the
// time when that takes long.
func TestLimitsEnforced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, q := one("web", 0), resource.MustParse("1Mi")
		p.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{SizeLimit: &q}}}}
		n := &node{active: []*corev1.Pod{p, one("other", 0)}, usage: map[types.UID]Usage{p.UID: {Volumes: map[string]disk.Usage{"v": {Bytes: 1 << 20}}}}}
		n.watch(t, Config{}, 35*time.Second)
		if n.asked != 4 || n.String() != "" {
			t.Errorf("within its limit, measured %d times: %s", n.asked, n)
		}
		n.usage[p.UID].Volumes["v"] = disk.Usage{Bytes: 2 << 20}
		n.watch(t, Config{}, 15*time.Second)
		if got, want := n.String(), "end web within 1s, false"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

// slow takes a while for each measurement.
type slow struct {
	*node
	takes time.Duration
}

func (s slow) Stored(ctx context.Context, pods []*corev1.Pod) map[types.UID]Usage {
	<-time.After(s.takes)
	return s.node.Stored(ctx, pods)
}

func TestGaugeRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, q := one("web", 0), resource.MustParse("1Mi")
		p.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{SizeLimit: &q}}}}
		n := &node{usage: map[types.UID]Usage{p.UID: {}}}
		g := gauge{meter: slow{n, 2 * time.Second}, known: map[types.UID]reading{}}
		for range 6 {
			if _, ok := g.read(t.Context(), []*corev1.Pod{p})[p.UID]; !ok {
				t.Fatal("nothing is known")
			}
			<-time.After(10 * time.Second)
		}
		if n.asked != 2 { // at 0 s and once 40 s have passed since 2 s
			t.Errorf("measured %d times in a minute", n.asked)
		}
		if g.read(t.Context(), nil); len(g.known) != 0 {
			t.Error("remembers pods that are gone")
		}
	})
}

func TestAdmit(t *testing.T) {
	memory, disks := corev1.NodeMemoryPressure, corev1.NodeDiskPressure
	critical := one("critical", 2_000_000_000)
	tolerant := one("tolerant", 0)
	tolerant.Spec.Tolerations = []corev1.Toleration{{Key: corev1.TaintNodeMemoryPressure, Operator: corev1.TolerationOpExists}}
	for _, c := range []struct {
		name       string
		conditions []corev1.NodeConditionType
		pod        *corev1.Pod
		want       string
	}{
		{"all is well", nil, one("web", 0), ""},
		{"short of memory, says nothing", []corev1.NodeConditionType{memory}, one("web", 0), "The node had condition: [MemoryPressure]. "},
		{"short of memory, says how much", []corev1.NodeConditionType{memory}, one("web", 0, "memory", "1"), ""},
		{"short of memory, tolerates it", []corev1.NodeConditionType{memory}, tolerant, ""},
		{"short of disk", []corev1.NodeConditionType{disks}, one("web", 0, "memory", "1"), "The node had condition: [DiskPressure]. "},
		{"short of both", []corev1.NodeConditionType{disks, memory}, tolerant, "The node had condition: [DiskPressure MemoryPressure]. "},
		{"critical", []corev1.NodeConditionType{disks}, critical, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := &Manager{conditions: c.conditions}
			v := m.Admit(c.pod)
			if v.Message != c.want || (v.Reason == Reason) != (c.want != "") {
				t.Errorf("got %+v", v)
			}
		})
	}
}
