package scheduler

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

var start = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

func ofPriority(n int32) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Spec.Priority = &n }
}

func createdAt(t time.Time) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.CreationTimestamp = metav1.NewTime(t) }
}

func TestQueueOrder(t *testing.T) {
	q := newQueue()
	for _, p := range []*corev1.Pod{
		testPod("late", createdAt(start.Add(time.Hour))), testPod("early", createdAt(start)),
		testPod("urgent", createdAt(start.Add(time.Hour)), ofPriority(10)), testPod("gone", ofPriority(20)),
	} {
		q.add(newPodInfo(p))
	}
	q.remove("gone")
	for _, want := range []string{"urgent", "early", "late"} {
		if w := q.pop(start); w == nil || w.info.pod.Name != want {
			t.Fatalf("got %+v, want %s", w, want)
		}
	}
	if w := q.pop(start); w != nil {
		t.Errorf("one more: %+v", w)
	}
}

func TestQueueBackoff(t *testing.T) {
	q, now := newQueue(), start
	q.add(newPodInfo(testPod("p")))
	for _, want := range []time.Duration{1, 2, 4, 8, 10, 10} {
		w := q.pop(now)
		if w == nil {
			t.Fatal("not to be tried")
		}
		q.again(w)
		at, ok := q.next()
		if !ok || at.Sub(now) != want*time.Second {
			t.Fatalf("tried again in %v, want %v s", at.Sub(now), want)
		}
		if q.pop(at.Add(-time.Millisecond)) != nil {
			t.Fatal("tried too early")
		}
		now = at
	}
}

func TestParkedPodWakesByWhatMatters(t *testing.T) {
	q := newQueue()
	q.add(newPodInfo(testPod("p")))
	q.park(q.pop(start), nodeChanged, nil)
	later := start.Add(time.Hour)
	q.happened(podLeft, nil)
	if q.pop(later) != nil {
		t.Error("woken by what does not help")
	}
	q.add(newPodInfo(testPod("p", func(p *corev1.Pod) { p.Status.Message = "told why" })))
	if q.pop(later) != nil {
		t.Error("woken by its own status")
	}
	q.happened(nodeChanged, nil)
	w := q.pop(later)
	if w == nil {
		t.Fatal("not woken")
	}
	q.park(w, podItself, nil)
	q.happened(anyChange, nil)
	q.flush(later.Add(longestPark - 1))
	if q.pop(later.Add(longestPark)) != nil {
		t.Error("woken by others though only its own change helps")
	}
	q.flush(later.Add(longestPark))
	if w = q.pop(later.Add(time.Hour)); w == nil {
		t.Fatal("parked for ever")
	}
	q.park(w, podItself, nil)
	q.add(newPodInfo(testPod("p", func(p *corev1.Pod) { p.Generation = 2 })))
	if q.pop(later) == nil {
		t.Error("not tried at once though its spec has changed")
	}
}

// TestState plays what the cluster tells and what is decided, without any I/O.
func TestState(t *testing.T) {
	s := newState([]*profile{standard}, noLabels)
	s.podChanged(testPod("p", asks("3", "1Gi")))
	if o, ok := s.try(start); !ok || o.refused == nil {
		t.Fatalf("placed without a node: %+v", o)
	}
	s.nodeChanged(testNode("n"))
	o, ok := s.try(start.Add(firstBackoff))
	if !ok || o.node != "n" {
		t.Fatalf("the new node does not help: %+v, %t", o, ok)
	}
	s.podChanged(testPod("q", asks("3", "1Gi"), createdAt(start)))
	if o, ok := s.try(start.Add(firstBackoff)); !ok || o.refused == nil || o.refused.message !=
		"0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod." {
		t.Fatalf("what is placed does not count before it is bound: %+v", o)
	}

	s.unbound(uid("p"), nil) // it was deleted meanwhile
	if o, ok := s.try(start.Add(time.Minute)); !ok || o.node != "n" || o.pod.Name != "q" {
		t.Fatalf("the place of a pod that is gone is not given on: %+v, %t", o, ok)
	}
	bound := testPod("q", asks("3", "1Gi"))
	bound.Spec.NodeName = "n"
	s.podChanged(bound)
	if len(s.binding) != 0 || len(s.queue.known) != 0 || len(s.cluster.pods) != 1 {
		t.Errorf("after the binding: %+v %+v", s.binding, s.queue.known)
	}
	done := bound.DeepCopy()
	done.Status.Phase = corev1.PodSucceeded
	s.podChanged(done)
	if len(s.cluster.pods) != 0 {
		t.Error("a finished pod takes room")
	}
}

func TestPodThatCouldNotBeBoundIsTriedAgain(t *testing.T) {
	s := newState([]*profile{standard}, noLabels)
	s.nodeChanged(testNode("n"))
	s.podChanged(testPod("p"))
	if o, _ := s.try(start); o.node != "n" {
		t.Fatalf("got %+v", o)
	}
	s.podChanged(testPod("p", func(p *corev1.Pod) { p.Labels = map[string]string{"a": "b"} }))
	if _, ok := s.try(start); ok {
		t.Fatal("tried while it is being bound")
	}
	s.unbound("p", testPod("p"))
	if _, ok := s.try(start); ok {
		t.Error("tried again without a pause")
	}
	if o, ok := s.try(start.Add(firstBackoff)); !ok || o.node != "n" {
		t.Errorf("not tried again: %+v", o)
	}
	s.unbound("p", testPod("p", func(p *corev1.Pod) { p.DeletionTimestamp = ptr.To(metav1.Now()) }))
	if len(s.queue.known)+len(s.binding)+len(s.cluster.pods) != 0 {
		t.Error("a pod that is being deleted is still known")
	}
}
