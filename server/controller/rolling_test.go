package controller

import (
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"
)

// TestRollingUpdateKeepsItsPromise plays rollouts: whatever the sizes, and in whatever order pods become
// available, there are never more pods than the surge allows, the rollout never takes away more than may be
// unavailable, and it comes to its end.
func TestRollingUpdateKeepsItsPromise(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		replicas := rapid.Int32Range(0, 20).Draw(t, "replicas")
		d := testDeployment(replicas, func(d *appsv1.Deployment) {
			d.Spec.Strategy.RollingUpdate = &appsv1.RollingUpdateDeployment{
				MaxSurge:       ptr.To(intstr.FromInt32(rapid.Int32Range(0, 5).Draw(t, "surge"))),
				MaxUnavailable: ptr.To(intstr.FromInt32(rapid.Int32Range(0, 5).Draw(t, "unavailable"))),
			}
		})
		sets := map[string]*appsv1.ReplicaSet{}
		for i := range rapid.IntRange(0, 3).Draw(t, "old") {
			n := rapid.Int32Range(0, replicas).Draw(t, "size")
			set := testSet(fmt.Sprint("old-", i), fmt.Sprint("web:old", i), n, available(rapid.Int32Range(0, n).Draw(t, "available")))
			sets[set.Name] = set
		}
		for range 500 {
			if !step(t, d, sets) {
				return
			}
		}
		t.Fatalf("no end: %v", list(sets))
	})
}

// step applies a plan, then lets some pods become available; false when all is done.
func step(t *rapid.T, d *appsv1.Deployment, sets map[string]*appsv1.ReplicaSet) bool {
	specBefore, availableBefore := total(list(sets))
	plan, err := planDeployment(d, list(sets), 0, testNow)
	if err != nil {
		t.Fatal(err)
	}
	if plan.create != nil {
		plan.create.Status.AvailableReplicas = 0
		sets[plan.create.Name] = plan.create
	}
	for _, u := range plan.update {
		u.set.Spec.Replicas, u.set.Annotations = ptr.To(u.replicas), u.annotations
		u.set.Status.AvailableReplicas = min(u.set.Status.AvailableReplicas, u.replicas)
	}
	spec, availableNow := total(list(sets))
	if spec > max(specBefore, wanted(d)+surge(d)) {
		t.Fatalf("%s: %d pods, more than %d and a surge of %d", plan, spec, wanted(d), surge(d))
	}
	if least := min(availableBefore, wanted(d)-unavailable(d)); availableNow < least {
		t.Fatalf("%s: %d available, less than %d", plan, availableNow, least)
	}
	for _, set := range sets {
		set.Status.Replicas = size(set)
		set.Status.AvailableReplicas += rapid.Int32Range(0, size(set)-set.Status.AvailableReplicas).Draw(t, "more")
	}
	if plan.String() != "nothing" {
		return true
	}
	fresh := findNew(d, list(sets))
	if spec == wanted(d) && size(fresh) == wanted(d) {
		return false
	}
	fresh.Status.AvailableReplicas = size(fresh) // what waits for the new pods gets them in the end
	return true
}

func list(sets map[string]*appsv1.ReplicaSet) []*appsv1.ReplicaSet {
	var all []*appsv1.ReplicaSet
	for _, set := range sets {
		all = append(all, set)
	}
	return byAge(all)
}
