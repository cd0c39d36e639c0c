package controller

import (
	"regexp"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

func recreate(d *appsv1.Deployment) {
	d.Spec.Strategy = appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType}
}

func paused(d *appsv1.Deployment) { d.Spec.Paused = true }

func rolling(surge, unavailable string) func(*appsv1.Deployment) {
	return func(d *appsv1.Deployment) {
		d.Spec.Strategy.RollingUpdate = &appsv1.RollingUpdateDeployment{
			MaxSurge: ptr.To(intstr.Parse(surge)), MaxUnavailable: ptr.To(intstr.Parse(unavailable)),
		}
	}
}

// upToDate are the annotations of a ReplicaSet that was scaled for a Deployment of 3.
func upToDate(rev string) func(*appsv1.ReplicaSet) {
	return annotated(revisionAnnotation, rev, desiredAnnotation, "3", maxAnnotation, "4")
}

func TestPlanDeployment(t *testing.T) {
	for _, test := range []struct {
		name    string
		d       *appsv1.Deployment
		sets    []*appsv1.ReplicaSet
		oldPods int
		want    string
	}{
		{"first", testDeployment(3), nil, 0, "create web-HASH of 3"},
		{"done", testDeployment(3), []*appsv1.ReplicaSet{testSet("new", "web:2", 3, upToDate("1"))}, 0, "nothing"},
		{"new template: surge first", testDeployment(3),
			[]*appsv1.ReplicaSet{testSet("old", "web:1", 3, upToDate("1"))}, 0, "create web-HASH of 1"},
		{"new one not yet available", testDeployment(3),
			[]*appsv1.ReplicaSet{testSet("old", "web:1", 3, upToDate("1")), testSet("new", "web:2", 1, upToDate("2"), available(0))}, 0, "nothing"},
		{"new one available: one old goes", testDeployment(3),
			[]*appsv1.ReplicaSet{testSet("old", "web:1", 3, upToDate("1")), testSet("new", "web:2", 1, upToDate("2"))}, 0, "scale old from 3 to 2"},
		{"no surge: old first", testDeployment(3, rolling("0", "1")),
			[]*appsv1.ReplicaSet{testSet("old", "web:1", 3, annotated(desiredAnnotation, "3", maxAnnotation, "3", revisionAnnotation, "1")), testSet("new", "web:2", 0, annotated(desiredAnnotation, "3", maxAnnotation, "3", revisionAnnotation, "2"))}, 0,
			"scale old from 3 to 2"},
		{"percentages", testDeployment(3, rolling("34%", "34%")),
			[]*appsv1.ReplicaSet{testSet("old", "web:1", 3, upToDate("1"))}, 0, "create web-HASH of 2"},
		{"unhealthy old pods go at once", testDeployment(3),
			[]*appsv1.ReplicaSet{testSet("bad", "web:0", 2, upToDate("1"), available(0)), testSet("old", "web:1", 3, upToDate("2")), testSet("new", "web:2", 0, upToDate("3"), available(0))}, 0,
			"scale bad from 2 to 0"},
		{"scaled up", testDeployment(5), []*appsv1.ReplicaSet{testSet("new", "web:2", 3, upToDate("1"))}, 0, "scale new from 3 to 5"},
		{"scaled down", testDeployment(1), []*appsv1.ReplicaSet{testSet("new", "web:2", 3, upToDate("1"))}, 0, "scale new from 3 to 1"},
		{"scaled up during a rollout: each its share", testDeployment(6),
			[]*appsv1.ReplicaSet{testSet("old", "web:1", 2, upToDate("1")), testSet("new", "web:2", 2, upToDate("2"))}, 0,
			"scale old from 2 to 3, scale new from 2 to 4"},
		{"scaled to nothing during a rollout", testDeployment(0),
			[]*appsv1.ReplicaSet{testSet("old", "web:1", 2, upToDate("1")), testSet("new", "web:2", 2, upToDate("2"))}, 0,
			"scale old from 2 to 0, scale new from 2 to 0"},
		{"paused: no new ReplicaSet", testDeployment(3, paused), []*appsv1.ReplicaSet{testSet("old", "web:1", 3, upToDate("1"))}, 0, "nothing"},
		{"paused, but scaled", testDeployment(4, paused), []*appsv1.ReplicaSet{testSet("old", "web:1", 3, upToDate("1"))}, 0, "scale old from 3 to 4"},
		{"recreate: down first", testDeployment(3, recreate), []*appsv1.ReplicaSet{testSet("old", "web:1", 3, upToDate("1"))}, 3, "scale old from 3 to 0"},
		{"recreate: wait for the last old pod", testDeployment(3, recreate), []*appsv1.ReplicaSet{testSet("old", "web:1", 0, upToDate("1"))}, 1, "nothing"},
		{"recreate: then up", testDeployment(3, recreate), []*appsv1.ReplicaSet{testSet("old", "web:1", 0, upToDate("1"))}, 0, "create web-HASH of 3"},
		{"recreate: in the middle of a rolling update, and scaled", testDeployment(4, recreate),
			[]*appsv1.ReplicaSet{testSet("older", "web:0", 1, upToDate("1")), testSet("old", "web:1", 2, upToDate("2"))}, 3, "scale older from 1 to 0, scale old from 2 to 0"},
		{"rolled back: the old one is the latest again", testDeployment(3),
			[]*appsv1.ReplicaSet{testSet("back", "web:2", 0, upToDate("1")), testSet("now", "web:1", 3, upToDate("2"))}, 0, "scale back from 0 to 1"},
		{"being deleted", testDeployment(3, func(d *appsv1.Deployment) { d.DeletionTimestamp = ptr.To(ago(0)) }), nil, 0, "nothing"},
	} {
		t.Run(test.name, func(t *testing.T) {
			plan, err := planDeployment(test.d, test.sets, test.oldPods, testNow)
			if err != nil {
				t.Fatal(err)
			}
			got := regexp.MustCompile(`web-[a-z0-9]+ `).ReplaceAllString(plan.String(), "web-HASH ")
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestRevisions(t *testing.T) {
	d := testDeployment(3)
	back := testSet("back", "web:2", 0, annotated(revisionAnnotation, "1", revisionHistoryAnnotation, "0"))
	plan, err := planDeployment(d, []*appsv1.ReplicaSet{back, testSet("now", "web:1", 3, upToDate("4"))}, 0, testNow)
	if err != nil {
		t.Fatal(err)
	}
	if plan.revision != 5 {
		t.Errorf("the Deployment becomes revision %d, want 5", plan.revision)
	}
	a := plan.update[0].annotations
	if a[revisionAnnotation] != "5" || a[revisionHistoryAnnotation] != "0,1" {
		t.Errorf("annotations are %v", a)
	}
}

func TestHistoryLimit(t *testing.T) {
	d := testDeployment(3, func(d *appsv1.Deployment) { d.Spec.RevisionHistoryLimit = ptr.To[int32](1) })
	sets := []*appsv1.ReplicaSet{
		testSet("new", "web:2", 3, upToDate("4")),
		testSet("third", "web:c", 0, upToDate("3")), testSet("first", "web:a", 0, upToDate("1")), testSet("second", "web:b", 0, upToDate("2")),
	}
	plan, err := planDeployment(d, sets, 0, testNow)
	if err != nil {
		t.Fatal(err)
	}
	if got := plan.String(); got != "delete first, delete second" {
		t.Errorf("got %q", got)
	}
}

func TestTemplateHash(t *testing.T) {
	template := testTemplate("web:1")
	hash, err := templateHash(&template, nil)
	if err != nil {
		t.Fatal(err)
	}
	if hash != "6dcd5ffff6" {
		t.Errorf("the hash of a template has become %s: ReplicaSets of two versions would be named differently", hash)
	}
	if again, _ := templateHash(&template, ptr.To[int32](1)); again == hash {
		t.Error("a collision does not change the hash")
	}
}

func TestProgress(t *testing.T) {
	progressing := func(d *appsv1.Deployment, sets ...*appsv1.ReplicaSet) (appsv1.DeploymentCondition, time.Duration) {
		t.Helper()
		plan, err := planDeployment(d, sets, 0, testNow)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range plan.status.Conditions {
			if c.Type == appsv1.DeploymentProgressing {
				return c, plan.again
			}
		}
		return appsv1.DeploymentCondition{}, plan.again
	}
	was := func(reason string, since time.Duration) func(*appsv1.Deployment) {
		return func(d *appsv1.Deployment) {
			d.Status = appsv1.DeploymentStatus{Replicas: 4, UpdatedReplicas: 1, ReadyReplicas: 3, AvailableReplicas: 3}
			d.Status.Conditions = []appsv1.DeploymentCondition{{
				Type: appsv1.DeploymentProgressing, Status: corev1.ConditionTrue, Reason: reason, LastUpdateTime: ago(since),
			}}
		}
	}
	old, new := testSet("old", "web:1", 3, upToDate("1")), testSet("new", "web:2", 1, upToDate("2"), available(0))
	for _, test := range []struct {
		name   string
		d      *appsv1.Deployment
		sets   []*appsv1.ReplicaSet
		reason string
		again  bool
	}{
		{"created", testDeployment(3), []*appsv1.ReplicaSet{old}, reasonCreated, true},
		{"found", testDeployment(3), []*appsv1.ReplicaSet{testSet("new", "web:2", 3, upToDate("1"), func(rs *appsv1.ReplicaSet) { rs.Status = appsv1.ReplicaSetStatus{} })}, reasonFound, true},
		{"further than before", testDeployment(3, was(reasonCreated, time.Minute)), []*appsv1.ReplicaSet{old, testSet("new", "web:2", 1, upToDate("2"))}, reasonUpdated, true},
		{"no further, still time", testDeployment(3, was(reasonCreated, time.Minute)), []*appsv1.ReplicaSet{old, new}, reasonCreated, true},
		{"no further for too long", testDeployment(3, was(reasonCreated, time.Hour)), []*appsv1.ReplicaSet{old, new}, reasonTimedOut, false},
		{"complete", testDeployment(3, was(reasonUpdated, time.Hour)), []*appsv1.ReplicaSet{testSet("new", "web:2", 3, upToDate("2"))}, reasonAvailable, false},
		{"paused", testDeployment(3, paused, was(reasonUpdated, time.Hour)), []*appsv1.ReplicaSet{old, new}, reasonPaused, false},
		{"resumed", testDeployment(3, was(reasonPaused, time.Hour)), []*appsv1.ReplicaSet{old, new}, reasonResumed, true},
		{"complete long ago, a pod lost since", testDeployment(3, was(reasonAvailable, time.Hour)), []*appsv1.ReplicaSet{testSet("new", "web:2", 3, upToDate("2"), available(2))}, reasonAvailable, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, again := progressing(test.d, test.sets...)
			if c.Reason != test.reason || (again > 0) != test.again {
				t.Errorf("got %s, again in %v; want %s, again %t", c.Reason, again, test.reason, test.again)
			}
		})
	}
}
