package pod

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func named(name string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Name, p.UID = name, types.UID(name) }
}

func wait(t *testing.T, what string, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatalf("%s: not within 10 s", what)
	}
}

func conditionOf(p *corev1.Pod, t corev1.PodConditionType) corev1.PodCondition {
	for _, c := range p.Status.Conditions {
		if c.Type == t {
			return c
		}
	}
	return corev1.PodCondition{}
}

// TestEnd: the node ends a pod: it fails for the reason that was given, once nothing of it runs, and starts no more; its
// volumes are free, and its container stays for its log until it is in the way.
func TestEnd(t *testing.T) {
	b := newBed(t, newEngine("img:1"), bound(func(p *corev1.Pod) {
		p.Spec.Volumes = []corev1.Volume{{Name: "scratch", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
	}))
	b.until("ready", b.ready("web"))
	scratch := filepath.Join(b.dir, "u", "volumes", "scratch")
	if _, err := os.Stat(scratch); err != nil {
		t.Fatal(err)
	}
	end := End{Reason: "Evicted", Message: "The node was low on resource: memory. ", Disruption: "The node was low on resource: memory. ", Grace: time.Second}
	wait(t, "the end", b.m.End("u", end))
	if _, err := os.Stat(scratch); !os.IsNotExist(err) {
		t.Errorf("the volume is still there: %v", err)
	}
	b.until("failed", b.phase("web", corev1.PodFailed))
	p := b.pod("web")
	if p.Status.Reason != end.Reason || p.Status.Message != end.Message {
		t.Errorf("status %s: %s", p.Status.Reason, p.Status.Message)
	}
	if c := conditionOf(p, corev1.DisruptionTarget); c.Status != corev1.ConditionTrue || c.Reason != "TerminationByKubelet" || c.Message != end.Disruption || c.ObservedGeneration != 1 {
		t.Errorf("condition %+v", c)
	}
	if c := conditionOf(p, corev1.PodReady); c.Status != corev1.ConditionFalse || c.Reason != "PodFailed" {
		t.Errorf("ready %+v", c)
	}
	if len(b.m.Active()) != 0 {
		t.Error("it counts as active")
	}
	b.until("the sandbox is free", func() bool { return len(b.engine.list("")) == 1 })
	for _, done := range b.m.Purge() {
		wait(t, "the purge", done)
	}
	if left := b.engine.list(""); len(left) != 0 {
		t.Errorf("left %+v", left)
	}
	if s := b.pod("web").Status.ContainerStatuses[0]; s.State.Terminated == nil || s.State.Terminated.ExitCode != 143 {
		t.Errorf("its end is forgotten: %+v", s)
	}
}

// TestGate: a pod that is not let in fails, and nothing of it is made; one that was let in before is not asked again.
func TestGate(t *testing.T) {
	gate := func(pod *corev1.Pod, _ []*corev1.Pod) Verdict {
		return Verdict{Reason: "OutOfcpu", Message: "Node didn't have enough resource: cpu, requested: 1, used: 2, capacity: 2"}
	}
	b := newGatedBed(t, gate, newEngine("img:1"), bound(), bound(named("old"), func(p *corev1.Pod) {
		p.Status.StartTime = &metav1.Time{Time: now}
	}))
	b.until("refused", b.phase("web", corev1.PodFailed))
	b.until("the old one runs", b.ready("old"))
	p := b.pod("web")
	if p.Status.Reason != "OutOfcpu" || p.Status.Message != "Pod was rejected: Node didn't have enough resource: cpu, requested: 1, used: 2, capacity: 2" ||
		len(p.Status.ContainerStatuses) != 0 || conditionOf(p, corev1.DisruptionTarget).Type != "" {
		t.Errorf("status %+v", p.Status)
	}
	if len(b.engine.list("u")) != 0 || !b.events.has("OutOfcpu Node didn't have enough resource") {
		t.Errorf("containers %+v, events %s", b.engine.list("u"), b.events)
	}
}

// TestPreemption: a critical pod waits until those have ended whose place it takes.
func TestPreemption(t *testing.T) {
	gate := func(pod *corev1.Pod, others []*corev1.Pod) Verdict {
		if pod.Name == "critical" {
			return Verdict{Victims: others, Short: corev1.ResourceCPU}
		}
		return Verdict{}
	}
	b := newGatedBed(t, gate, newEngine("img:1"), bound())
	b.until("ready", b.ready("web"))
	release := b.engine.holdStops()
	b.create(bound(named("critical")))
	b.until("its victim is told", func() bool { return b.events.has("Preempting Preempted in order to admit critical pod") })
	if len(b.engine.list("critical")) != 0 {
		t.Error("it did not wait")
	}
	release()
	b.until("runs", b.ready("critical"))
	b.until("the victim's end is told", b.phase("web", corev1.PodFailed))
	if s := b.pod("web").Status; s.Phase != corev1.PodFailed || s.Reason != "Preempting" || s.Message != "Preempted in order to admit critical pod" {
		t.Errorf("the victim: %s %s: %s", s.Phase, s.Reason, s.Message)
	}
}

func TestRejectionLabel(t *testing.T) {
	for reason, want := range map[string]string{
		"OutOfcpu": "OutOfcpu", "OutOfexample.com/gpu": "OutOfExtendedResources", "OutOfhugepages-2Mi": "OutOfExtendedResources",
		"Evicted": "Evicted", "NodeAffinity": "Other",
	} {
		if got := rejectionLabel(reason); got != want {
			t.Errorf("%s: %s", reason, got)
		}
	}
}
