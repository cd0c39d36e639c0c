package nodeagent

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/nodeagent/eviction"
	"leme/nodeagent/pod"
)

// madeUp is this machine with other memory: what the kernel tells of it is made up.
type madeUp struct {
	mu    sync.Mutex
	avail func() int // MiB of 1000
}

func (m *madeUp) Open(name string) (fs.File, error) {
	switch {
	case name == "proc/meminfo":
		m.mu.Lock()
		avail := m.avail
		m.mu.Unlock()
		text := fmt.Appendf(nil, "MemTotal: %d kB\nMemFree: %d kB\n", 1000<<10, avail()<<10)
		return fstest.MapFS{name: {Data: text}}.Open(name)
	case strings.HasPrefix(name, "sys/fs/cgroup"):
		return nil, fs.ErrNotExist
	}
	return os.DirFS("/").Open(name)
}

// have makes so many MiB available.
func (m *madeUp) have(mebi int) { m.haveBy(func() int { return mebi }) }

func (m *madeUp) haveBy(avail func() int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.avail = avail
}

// watched is a bed whose node looks after itself, ten times a second.
func watched(t *testing.T, hard map[string]string, mods ...func(*Config)) *bed {
	t.Helper()
	thresholds, err := eviction.Parse(hard, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return newBed(t, append(mods, func(c *Config) {
		c.Watch, c.Limits.Eviction, c.Limits.Transition = 100*time.Millisecond, thresholds, time.Second
	})...)
}

func (b *bed) evicted(name, message string) func() bool {
	return func() bool {
		s := b.pod(name).Status
		return s.Phase == corev1.PodFailed && s.Reason == "Evicted" && strings.HasPrefix(s.Message, message)
	}
}

func (b *bed) told(reason, message string) bool {
	events, err := b.client.CoreV1().Events("").List(b.t.Context(), metav1.ListOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	for _, e := range events.Items {
		if e.Reason == reason && strings.HasPrefix(e.Message, message) {
			return true
		}
	}
	return false
}

// TestMemoryPressure: when memory runs short the pod goes that takes more than it asked for; the node says so, takes no
// pod that does not say what it needs, and recovers.
func TestMemoryPressure(t *testing.T) {
	m := &madeUp{}
	m.have(900)
	b := watched(t, map[string]string{"memory.available": "100Mi"}, func(c *Config) { c.Host = m })
	b.register()
	modest := b.node.Pod("modest", "stay")
	modest.Spec.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("500Mi")}
	b.create(modest)
	b.create(b.node.Pod("greedy", "stay"))
	b.until("both run", func() bool { return b.ready("modest")() && b.ready("greedy")() })
	if got := b.getNode().Status.Allocatable.Memory().String(); got != "900Mi" {
		t.Errorf("allocatable %s", got)
	}
	greedy := b.pod("greedy").UID
	m.haveBy(func() int { // more once it has ended
		all, err := b.node.PodContainers(context.Background(), greedy)
		if err != nil || slices.ContainsFunc(all, func(c pod.Container) bool { return !c.Sandbox && c.State == pod.Running }) {
			return 50
		}
		return 900
	})
	b.until("evicted", b.evicted("greedy", "The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. Container app was using "))
	b.until("told", func() bool {
		return b.told("EvictionThresholdMet", "Attempting to reclaim memory") && b.told("NodeHasInsufficientMemory", "Node node-1 status is now: NodeHasInsufficientMemory")
	})
	b.until("recovered", func() bool { return b.condition(corev1.NodeMemoryPressure) == corev1.ConditionFalse })
	if !b.ready("modest")() {
		t.Errorf("the modest one: %+v", b.pod("modest").Status)
	}
}

// TestMemoryOfPods: pods that together take more than is not kept from them make room, although the machine has memory.
func TestMemoryOfPods(t *testing.T) {
	m := &madeUp{}
	m.have(900)
	b := watched(t, map[string]string{"memory.available": "10Mi"}, func(c *Config) {
		c.Host, c.Limits.SystemReserved = m, corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("960Mi")}
	})
	b.register()
	b.create(b.node.Pod("modest", "stay"))
	b.until("runs", b.ready("modest"))
	b.create(b.node.Pod("greedy", "memory", "64"))
	b.until("evicted", b.evicted("greedy", "The node was low on resource: memory. Threshold quantity: 10Mi, available: "))
	b.until("recovered", func() bool { return b.condition(corev1.NodeMemoryPressure) == corev1.ConditionFalse })
	if !b.ready("modest")() {
		t.Errorf("the modest one: %+v", b.pod("modest").Status)
	}
}

// TestRefusedUnderPressure: a node short of memory takes no pod that does not say how much it needs.
func TestRefusedUnderPressure(t *testing.T) {
	m := &madeUp{}
	m.have(50)
	b := watched(t, map[string]string{"memory.available": "100Mi"}, func(c *Config) { c.Host = m })
	b.register()
	b.until("under pressure", func() bool { return b.condition(corev1.NodeMemoryPressure) == corev1.ConditionTrue })
	b.create(b.node.Pod("careless", "stay"))
	b.until("refused", b.evicted("careless", "Pod was rejected: The node had condition: [MemoryPressure]. "))
	if len(b.containers(b.pod("careless").UID)) != 0 {
		t.Error("something was made of it")
	}
}

// TestDiskPressure: on a full disk the pod goes whose volume fills it, and its volume with it.
func TestDiskPressure(t *testing.T) {
	home := smallDisk(t, "48m")
	b := watched(t, map[string]string{"nodefs.available": "50%"}, func(c *Config) { c.Home = home })
	b.register()
	b.create(b.node.Pod("light", "stay"))
	b.until("the light one runs", b.ready("light"))
	b.create(b.filling("heavy", 40<<20, nil))
	b.until("evicted", b.evicted("heavy", "The node was low on resource: ephemeral-storage. Threshold quantity: "))
	b.until("its volume is gone", func() bool {
		_, err := os.Stat(filepath.Join(home, "agent", "pods", string(b.pod("heavy").UID), "volumes"))
		return os.IsNotExist(err)
	})
	b.until("recovered", func() bool { return b.condition(corev1.NodeDiskPressure) == corev1.ConditionFalse })
	if !b.ready("light")() || !b.told("NodeHasDiskPressure", "Node node-1 status is now: NodeHasDiskPressure") {
		t.Errorf("the light one: %+v", b.pod("light").Status)
	}
}

// TestDiskLimits: pods that take more of the disk than they may go, whether the disk is short or not.
func TestDiskLimits(t *testing.T) {
	b := watched(t, nil)
	b.register()
	limit := resource.MustParse("1Mi")
	b.create(b.filling("volume", 3<<20, &limit))
	layer := b.node.Pod("layer", "write", fmt.Sprint(3<<20), "/tmp/blob")
	layer.Spec.Containers[0].Resources.Limits = corev1.ResourceList{corev1.ResourceEphemeralStorage: limit}
	b.create(layer)
	b.create(b.filling("within", 1<<19, &limit))
	b.until("its volume is too large", b.evicted("volume", `Usage of EmptyDir volume "scratch" exceeds the limit "1Mi". `))
	b.until("its layer is too large", b.evicted("layer", "Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. "))
	b.until("within its limit", b.ready("within"))
}

// filling is a pod that writes so many bytes into a volume.
func (b *bed) filling(name string, bytes int, limit *resource.Quantity) *corev1.Pod {
	p := b.node.Pod(name, "write", fmt.Sprint(bytes), "/scratch/blob")
	p.Spec.Volumes = []corev1.Volume{{Name: "scratch", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{SizeLimit: limit}}}}
	p.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "scratch", MountPath: "/scratch"}}
	return p
}

// smallDisk is a directory on a disk of its own, which is in memory.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("no disk can be made: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// TestOutOfPods: a pod that was bound here although there is no room fails at once.
func TestOutOfPods(t *testing.T) {
	b := newBed(t, func(c *Config) { c.Limits.MaxPods = 1 })
	b.register()
	if n := b.getNode().Status.Allocatable.Pods().Value(); n != 1 {
		t.Errorf("allocatable pods %d", n)
	}
	b.create(b.node.Pod("first", "stay"))
	b.until("runs", b.ready("first"))
	b.create(b.node.Pod("second", "stay"))
	b.until("refused", func() bool {
		s := b.pod("second").Status
		return s.Phase == corev1.PodFailed && s.Reason == "OutOfpods" &&
			s.Message == "Pod was rejected: Node didn't have enough resource: pods, requested: 1, used: 1, capacity: 1"
	})
	b.remove("first")
	b.create(b.node.Pod("third", "stay"))
	b.until("takes its place", b.ready("third"))
}

// TestConsumed: what pods take is measured on the real engine.
func TestConsumed(t *testing.T) {
	b := newBed(t)
	b.register()
	p := b.filling("measured", 2<<20, nil)
	b.create(p)
	b.until("ready", b.ready("measured"))
	m := meter{b.node.Runtime, b.agent.podsDir()}
	pods := []*corev1.Pod{b.pod("measured")}
	b.until("measured", func() bool {
		u := m.Consumed(context.Background(), pods)[pods[0].UID]
		return u.Processes > 0 && len(u.Containers) == 1 && u.Containers[0].Memory > 0
	})
	b.until("stored", func() bool {
		u := m.Stored(context.Background(), pods)[pods[0].UID]
		return u.Volumes["scratch"].Bytes >= 2<<20 && len(u.Containers) == 1 && u.Containers[0].Log.Bytes > 0
	})
}
