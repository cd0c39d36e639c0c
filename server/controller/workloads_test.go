package controller_test

import (
	"context"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"leme/server/kind"
	"leme/server/resource"
)

func workloadPods(name string) (*metav1.LabelSelector, corev1.PodTemplateSpec) {
	labels := map[string]string{"app": name}
	return &metav1.LabelSelector{MatchLabels: labels}, corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: labels},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "web:1"}}},
	}
}

func (c *cluster) labelled(app string) []*corev1.Pod {
	return c.pods.List("default", func(p *corev1.Pod) bool { return p.Labels["app"] == app })
}

func TestStatefulSetOnCluster(t *testing.T) {
	c := newCluster(t, "one")
	sets := resource.For[*appsv1.StatefulSet](c.api, kind.StatefulSet, tester)
	selector, template := workloadPods("db")
	made(t)(sets.Create(t.Context(), &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "db"},
		Spec:       appsv1.StatefulSetSpec{Replicas: ptr.To[int32](3), ServiceName: "db", Selector: selector, Template: template},
	}))
	done := func(image string, replicas int32) func() bool {
		return func() bool {
			s, ok := sets.Get("default", "db")
			pods := c.labelled("db")
			return ok && s.Status.ObservedGeneration == s.Generation && s.Status.AvailableReplicas == replicas &&
				s.Status.UpdatedReplicas == replicas && len(pods) == int(replicas) &&
				!slices.ContainsFunc(pods, func(p *corev1.Pod) bool { return p.Spec.Containers[0].Image != image })
		}
	}
	c.await("three pods", done("web:1", 3))
	made(t)(sets.Update(t.Context(), "default", "db", func(s *appsv1.StatefulSet) error {
		s.Spec.Template.Spec.Containers[0].Image = "web:2"
		return nil
	}))
	c.await("the new image", done("web:2", 3))
	made(t)(sets.Update(t.Context(), "default", "db", func(s *appsv1.StatefulSet) error {
		s.Spec.Replicas = ptr.To[int32](1)
		return nil
	}))
	c.await("one pod", done("web:2", 1))
	if p := c.labelled("db"); p[0].Name != "db-0" {
		t.Errorf("%s is left", p[0].Name)
	}
}

func TestDaemonSetOnCluster(t *testing.T) {
	c := newCluster(t, "one", "two")
	sets := resource.For[*appsv1.DaemonSet](c.api, kind.DaemonSet, tester)
	selector, template := workloadPods("log")
	made(t)(sets.Create(t.Context(), &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "log"},
		Spec:       appsv1.DaemonSetSpec{Selector: selector, Template: template},
	}))
	everywhere := func(nodes ...string) func() bool {
		return func() bool {
			var on []string
			for _, p := range c.labelled("log") {
				on = append(on, p.Spec.NodeName)
			}
			slices.Sort(on)
			s, ok := sets.Get("default", "log")
			return ok && s.Status.NumberAvailable == int32(len(nodes)) && slices.Equal(on, nodes)
		}
	}
	c.await("a pod on each node", everywhere("one", "two"))
	made(t)(c.nodes.Update(t.Context(), "", "two", func(n *corev1.Node) error {
		n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: "off", Effect: corev1.TaintEffectNoExecute})
		return nil
	}))
	c.await("none on the node that is off", everywhere("one"))
}

func TestJobOnCluster(t *testing.T) {
	c := newCluster(t, "one")
	jobs := resource.For[*batchv1.Job](c.api, kind.Job, tester)
	_, template := workloadPods("sum")
	template.Spec.RestartPolicy = corev1.RestartPolicyNever
	made(t)(jobs.Create(t.Context(), &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "sum"},
		Spec:       batchv1.JobSpec{Completions: ptr.To[int32](5), Parallelism: ptr.To[int32](2), Template: template},
	}))
	most := 0
	c.await("five pods that ended", func() bool {
		j, ok := jobs.Get("default", "sum")
		active := 0
		for _, p := range c.labelled("sum") {
			if p.Status.Phase == corev1.PodRunning {
				c.finish(t.Context(), p.Name)
			}
			if p.Status.Phase == corev1.PodRunning || p.Status.Phase == corev1.PodPending {
				active++
			}
		}
		most = max(most, active)
		return ok && j.Status.Succeeded == 5 && slices.ContainsFunc(j.Status.Conditions, func(c batchv1.JobCondition) bool {
			return c.Type == batchv1.JobComplete && c.Status == corev1.ConditionTrue
		})
	})
	pods := c.labelled("sum")
	if len(pods) != 5 || most > 2 {
		t.Errorf("%d pods, up to %d at a time", len(pods), most)
	}
	for _, p := range pods {
		if len(p.Finalizers) > 0 {
			t.Errorf("%s keeps %v", p.Name, p.Finalizers)
		}
	}
}

// finish lets a pod's program end well.
func (c *cluster) finish(ctx context.Context, pod string) {
	_, err := c.pods.UpdateStatus(ctx, "default", pod, func(p *corev1.Pod) error {
		p.Status.Phase, p.Status.Conditions = corev1.PodSucceeded, nil
		return nil
	})
	if err != nil {
		c.t.Error(err)
	}
}
