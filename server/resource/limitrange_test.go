package resource_test

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apiresource "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/kind"
)

func cpu(text string) corev1.ResourceList {
	return corev1.ResourceList{corev1.ResourceCPU: apiresource.MustParse(text)}
}

func TestLimitRange(t *testing.T) {
	a, ctx := newAPI(t), context.Background()
	before := object[*corev1.Pod](t, create(t, a, pods(""), newPod("before")))
	create(t, a, target(kind.LimitRange, "default", ""), &corev1.LimitRange{
		ObjectMeta: metav1.ObjectMeta{Name: "bounds"},
		Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{
			{Type: corev1.LimitTypeContainer, Default: cpu("500m"), DefaultRequest: cpu("200m"), Max: cpu("1")},
		}},
	})
	t.Run("what is left open is filled in", func(t *testing.T) {
		pod := object[*corev1.Pod](t, create(t, a, pods(""), newPod("plain")))
		r := pod.Spec.Containers[0].Resources
		if r.Requests.Cpu().String() != "200m" || r.Limits.Cpu().String() != "500m" || pod.Status.QOSClass != corev1.PodQOSBurstable {
			t.Errorf("got %v, %s", r, pod.Status.QOSClass)
		}
	})
	t.Run("too much", func(t *testing.T) {
		pod := newPod("greedy")
		pod.Spec.Containers[0].Resources.Limits = cpu("2")
		_, err := a.Create(ctx, pods(""), pod, metav1.CreateOptions{})
		refused(t, err, `pods "greedy" is forbidden: maximum cpu usage per Container is 1, but limit is 2`)
	})
	t.Run("a pod from before is left alone", func(t *testing.T) {
		labelled := before.DeepCopy()
		labelled.Labels["more"] = "1"
		update(t, a, pods("before"), labelled)
	})
}
