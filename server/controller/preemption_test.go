package controller_test

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	apiresource "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/kind"
	"leme/server/resource"
)

// TestPriorityMakesRoom fills a node, and lets a pod come that is more important: one of the others goes, no more.
func TestPriorityMakesRoom(t *testing.T) {
	t.Parallel()
	c := newCluster(t, "one")
	asking := func(cpu string) corev1.ResourceRequirements {
		return corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: apiresource.MustParse(cpu)}}
	}
	made(t)(c.deployments.Create(t.Context(), webDeployment(4, func(d *appsv1.Deployment) {
		d.Spec.Template.Spec.Containers[0].Resources = asking("1")
	})))
	c.await("the node is full", func() bool { return c.rolledOut(4) })
	before := map[string]*corev1.Pod{}
	for _, p := range c.alive() {
		before[p.Name] = p
	}
	classes := resource.For[*schedulingv1.PriorityClass](c.api, kind.PriorityClass, tester)
	made(t)(classes.Create(t.Context(), &schedulingv1.PriorityClass{ObjectMeta: metav1.ObjectMeta{Name: "urgent"}, Value: 1000}))
	urgent, err := c.pods.Create(t.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "urgent"},
		Spec: corev1.PodSpec{PriorityClassName: "urgent", Containers: []corev1.Container{
			{Name: "main", Image: "web:1", Resources: asking("900m")},
		}},
	})
	made(t)(urgent, err)
	c.await("the urgent pod runs, and nothing says any more that it waits for a node", func() bool {
		p, ok := c.pods.Get("default", "urgent")
		return ok && p.Spec.NodeName == "one" && p.Status.Phase == corev1.PodRunning && p.Status.NominatedNodeName == ""
	})
	gone := ""
	for name := range before {
		if p, ok := c.pods.Get("default", name); !ok || p.DeletionTimestamp != nil {
			if gone != "" {
				t.Errorf("%s and %s had to go, one was enough", gone, name)
			}
			gone = name
		}
	}
	for _, want := range []string{
		"pod/" + gone + " Preempted: Preempted by pod " + string(urgent.UID) + " on node one",
		"pod/urgent FailedScheduling: 0/1 nodes are available: 1 Insufficient cpu.",
	} {
		c.await("an event says "+want, func() bool {
			return len(c.events.List("default", func(e *corev1.Event) bool {
				return "pod/"+e.InvolvedObject.Name+" "+e.Reason+": "+e.Message == want
			})) == 1
		})
	}
	c.await("its place is empty, and the one made for it waits", func() bool {
		waits := 0
		for _, p := range c.alive() {
			if p.Spec.NodeName == "" {
				waits++
			}
		}
		return waits == 1 && len(c.alive()) == 5
	})
}
