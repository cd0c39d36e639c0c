package controller

import (
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"
)

// testStateful wants three pods of revision "new"; those before were "old".
func testStateful(mutate ...func(*appsv1.StatefulSet)) *appsv1.StatefulSet {
	s := &appsv1.StatefulSet{Spec: appsv1.StatefulSetSpec{
		Replicas: ptr.To[int32](3), Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}, ServiceName: "web",
		UpdateStrategy: appsv1.StatefulSetUpdateStrategy{Type: appsv1.RollingUpdateStatefulSetStrategyType, RollingUpdate: &appsv1.RollingUpdateStatefulSetStrategy{}},
	}}
	s.Name, s.Namespace, s.UID = "web", "default", "web"
	for _, m := range mutate {
		m(s)
	}
	return s
}

func parallelSet(s *appsv1.StatefulSet) { s.Spec.PodManagementPolicy = appsv1.ParallelPodManagement }

func partitioned(at int32) func(*appsv1.StatefulSet) {
	return func(s *appsv1.StatefulSet) { s.Spec.UpdateStrategy.RollingUpdate.Partition = &at }
}

func mostUnavailable(n string) func(*appsv1.StatefulSet) {
	return func(s *appsv1.StatefulSet) {
		s.Spec.UpdateStrategy.RollingUpdate.MaxUnavailable = ptr.To(intstr.Parse(n))
	}
}

func member(ordinal int, revision string, mutate ...func(*corev1.Pod)) *corev1.Pod {
	p := testPod(fmt.Sprintf("web-%d", ordinal), mutate...)
	p.Labels = map[string]string{appsv1.StatefulSetPodNameLabel: p.Name, appsv1.ControllerRevisionHashLabelKey: revision}
	return p
}

func TestPlanStatefulSet(t *testing.T) {
	old := func(i int, m ...func(*corev1.Pod)) *corev1.Pod { return member(i, "old", m...) }
	young := func(i int, m ...func(*corev1.Pod)) *corev1.Pod { return member(i, "new", m...) }
	replicas := func(n int32) func(*appsv1.StatefulSet) { return func(s *appsv1.StatefulSet) { s.Spec.Replicas = &n } }
	for _, test := range []struct {
		name string
		set  *appsv1.StatefulSet
		pods []*corev1.Pod
		want string
	}{
		{"begins with the first", testStateful(), nil, "create 0 of new"},
		{"then the next", testStateful(), []*corev1.Pod{young(0)}, "create 1 of new"},
		{"waits for the one before", testStateful(), []*corev1.Pod{young(0, unready)}, ""},
		{"waits until it is available", testStateful(func(s *appsv1.StatefulSet) { s.Spec.MinReadySeconds = 30 }), []*corev1.Pod{young(0, readyFor(time.Second))}, ""},
		{"all at once", testStateful(parallelSet), nil, "create 0 of new, create 1 of new, create 2 of new"},
		{"is whole", testStateful(), []*corev1.Pod{young(0), young(1), young(2)}, ""},
		{"another start", testStateful(func(s *appsv1.StatefulSet) { s.Spec.Ordinals = &appsv1.StatefulSetOrdinals{Start: 5} }), []*corev1.Pod{young(5), young(6)}, "create 7 of new"},
		{"a hole", testStateful(), []*corev1.Pod{young(0), young(2)}, "create 1 of new"},
		{"a pod that ended", testStateful(), []*corev1.Pod{young(0, inPhase(corev1.PodFailed)), young(1)}, "delete web-0"},
		{"shrinks from the end", testStateful(replicas(1)), []*corev1.Pod{young(0), young(1), young(2)}, "delete web-2"},
		{"shrinks one by one", testStateful(replicas(1)), []*corev1.Pod{young(0), young(1), young(2, leaving)}, ""},
		{"does not shrink what is not well", testStateful(replicas(1)), []*corev1.Pod{young(0, unready), young(1), young(2)}, ""},
		{"shrinks at once", testStateful(replicas(1), parallelSet), []*corev1.Pod{young(0), young(1), young(2)}, "delete web-2, delete web-1"},
		{"rolls from the end", testStateful(), []*corev1.Pod{old(0), old(1), old(2)}, "delete web-2"},
		{"rolls on", testStateful(), []*corev1.Pod{old(0), old(1), young(2)}, "delete web-1"},
		{"waits to roll on", testStateful(), []*corev1.Pod{old(0), old(1), young(2, unready)}, ""},
		{"rolls to the partition", testStateful(partitioned(2)), []*corev1.Pod{old(0), old(1), young(2)}, ""},
		{"keeps the old below it", testStateful(partitioned(2)), []*corev1.Pod{old(0), young(2)}, "create 1 of old"},
		{"two at a time", testStateful(mostUnavailable("2")), []*corev1.Pod{old(0), old(1), old(2)}, "delete web-2, delete web-1"},
		{"half at a time", testStateful(mostUnavailable("67%")), []*corev1.Pod{old(0), old(1), young(2)}, "delete web-1, delete web-0"},
		{"only when somebody deletes", testStateful(func(s *appsv1.StatefulSet) {
			s.Spec.UpdateStrategy = appsv1.StatefulSetUpdateStrategy{Type: appsv1.OnDeleteStatefulSetStrategyType}
		}), []*corev1.Pod{old(0), old(1), old(2)}, ""},
		{"what does nothing goes first", testStateful(parallelSet), []*corev1.Pod{old(0, unready), old(1), old(2)}, "delete web-0"},
		{"being deleted", testStateful(func(s *appsv1.StatefulSet) { s.DeletionTimestamp = ptr.To(ago(0)) }), nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := planStatefulSet(test.set, test.pods, "old", "new", testNow).String(); got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
	s := planStatefulSet(testStateful(), []*corev1.Pod{young(0), young(1), young(2)}, "old", "new", testNow).status
	if s.CurrentRevision != "new" || s.CurrentReplicas != 3 || s.AvailableReplicas != 3 {
		t.Errorf("got %+v", s)
	}
}

func TestPodOfSet(t *testing.T) {
	set := testStateful(func(s *appsv1.StatefulSet) {
		s.Spec.VolumeClaimTemplates = []corev1.PersistentVolumeClaim{{ObjectMeta: metav1.ObjectMeta{Name: "data"}}}
		s.Spec.Template.Spec.Volumes = []corev1.Volume{{Name: "data"}, {Name: "tmp"}}
	})
	pod := podOfSet(set, &set.Spec.Template, statefulPod{2, "new"})
	claims := claimsOf(set, pod)
	if pod.Name != "web-2" || pod.Spec.Hostname != "web-2" || pod.Spec.Subdomain != "web" || pod.Labels[appsv1.PodIndexLabel] != "2" ||
		len(pod.Spec.Volumes) != 2 || pod.Spec.Volumes[0].PersistentVolumeClaim.ClaimName != "data-web-2" || claims[0].Labels["app"] != "web" {
		t.Errorf("got %+v", pod)
	}
	pod.UID = "web-2"
	for _, test := range []struct {
		scaled, deleted appsv1.PersistentVolumeClaimRetentionPolicyType
		replicas        int32
		want            string
	}{
		{"Retain", "Retain", 3, ""}, {"Retain", "Delete", 3, "web"}, {"Delete", "Retain", 3, ""},
		{"Delete", "Retain", 2, "web-2"}, {"Delete", "Delete", 3, "web"}, {"Delete", "Delete", 2, "web-2"},
	} {
		set.Spec.Replicas = &test.replicas
		set.Spec.PersistentVolumeClaimRetentionPolicy = &appsv1.StatefulSetPersistentVolumeClaimRetentionPolicy{WhenScaled: test.scaled, WhenDeleted: test.deleted}
		got := ""
		for _, ref := range claimOwners(set, pod, claims[0]) {
			got += string(ref.UID)
		}
		if got != test.want {
			t.Errorf("%+v: owned by %q", test, got)
		}
	}
	foreign := claims[0].DeepCopy()
	foreign.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "StatefulSet", Name: "web", UID: "another"}}
	if got := claimOwners(set, pod, foreign); len(got) != 1 || got[0].UID != "another" {
		t.Errorf("a claim of another set got %v", got)
	}
}

// Whatever the pods do, an ordered set has never more than one pod on its way, none is missing below one that is there
// unless it failed, and it ends with all pods of the new revision.
func TestStatefulSetsGetThere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		set := testStateful(func(s *appsv1.StatefulSet) { s.Spec.Replicas = ptr.To(rapid.Int32Range(0, 4).Draw(t, "replicas")) })
		if rapid.Bool().Draw(t, "parallel") {
			parallelSet(set)
		}
		var pods []*corev1.Pod
		for i := range rapid.IntRange(0, 5).Draw(t, "pods") {
			pods = append(pods, member(i, "old"))
		}
		for step := 0; ; step++ {
			if step > 500 {
				t.Fatalf("%d pods after %d steps", len(pods), step)
			}
			plan := planStatefulSet(set, pods, "old", "new", testNow)
			if set.Spec.PodManagementPolicy != appsv1.ParallelPodManagement && len(plan.create)+len(plan.remove) > 1 {
				t.Fatalf("at once: %s", plan)
			}
			if plan.status.CurrentRevision == "new" {
				break
			}
			for _, c := range plan.create {
				pods = append(pods, member(int(c.ordinal), c.revision, unready))
			}
			for _, p := range plan.remove {
				leaving(p)
			}
			var left []*corev1.Pod
			for _, p := range pods {
				switch {
				case p.DeletionTimestamp != nil && rapid.Bool().Draw(t, "gone"):
					continue
				case p.DeletionTimestamp == nil && rapid.IntRange(0, 3).Draw(t, "ready") > 0:
					p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: ago(time.Hour)}}
				}
				left = append(left, p)
			}
			pods = left
		}
		if again := planStatefulSet(set, pods, "new", "new", testNow).String(); again != "" {
			t.Fatalf("still to do: %s", again)
		}
	})
}

func TestTemplatesAreKept(t *testing.T) {
	template := testTemplate("web:1")
	data, err := templatePatch(&template)
	if err != nil {
		t.Fatal(err)
	}
	w := revised{owner: testStateful(), template: &template, hashLabel: revisionHash}
	rev, another := newRevision(w, data, 1, nil), newRevision(w, data, 1, ptr.To[int32](1))
	kept, err := templateOf(rev)
	if err != nil || !sameTemplate(kept, &template) || rev.Name == another.Name || rev.Labels["app"] != "web" {
		t.Errorf("got %+v, %v", kept, err)
	}
	var all []*appsv1.ControllerRevision
	for i := range 5 {
		r := rev.DeepCopy()
		r.Name, r.UID = fmt.Sprint(i), types.UID(fmt.Sprint(i))
		all = append(all, r)
	}
	if old := (revisions{all: all}).outdated(2, map[string]bool{"0": true}); len(old) != 2 || old[0].Name != "1" {
		t.Errorf("got %d", len(old))
	}
}
