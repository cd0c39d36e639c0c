package resource_test

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/kind"
)

func TestRuntimeClassOfPods(t *testing.T) {
	a, ctx := newAPI(t), context.Background()
	create(t, a, target(kind.RuntimeClass, "", ""), &nodev1.RuntimeClass{ObjectMeta: metav1.ObjectMeta{Name: "plain"}, Handler: "runc"})
	create(t, a, target(kind.RuntimeClass, "", ""), &nodev1.RuntimeClass{
		ObjectMeta: metav1.ObjectMeta{Name: "safe"},
		Handler:    "runsc",
		Overhead:   &nodev1.Overhead{PodFixed: cpu("250m")},
		Scheduling: &nodev1.Scheduling{
			NodeSelector: map[string]string{"runtime": "gvisor"},
			Tolerations:  []corev1.Toleration{{Key: "gvisor", Operator: corev1.TolerationOpExists}},
		},
	})
	ofClass := func(name, class string) *corev1.Pod {
		pod := newPod(name)
		pod.Spec.RuntimeClassName = &class
		return pod
	}
	pod := object[*corev1.Pod](t, create(t, a, pods(""), ofClass("p", "safe")))
	if pod.Spec.Overhead.Cpu().String() != "250m" || pod.Spec.NodeSelector["runtime"] != "gvisor" || len(pod.Spec.Tolerations) != 3 {
		t.Errorf("got overhead %v, selector %v, tolerations %v", pod.Spec.Overhead, pod.Spec.NodeSelector, pod.Spec.Tolerations)
	}
	for _, test := range []struct {
		name, class string
		mutate      func(*corev1.Pod)
		says        string
	}{
		{"no such class", "none", func(*corev1.Pod) {}, `pod rejected: RuntimeClass "none" not found`},
		{"another overhead", "safe", func(p *corev1.Pod) { p.Spec.Overhead = cpu("1") }, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"},
		{"an overhead that the class has not", "plain", func(p *corev1.Pod) { p.Spec.Overhead = cpu("1") }, "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"},
		{"an overhead without class", "", func(p *corev1.Pod) { p.Spec.Overhead, p.Spec.RuntimeClassName = cpu("1"), nil }, "pod rejected: Pod Overhead set without corresponding RuntimeClass"},
		{"another node", "safe", func(p *corev1.Pod) { p.Spec.NodeSelector = map[string]string{"runtime": "kata"} },
			"conflict: runtimeClass.scheduling.nodeSelector[runtime] = gvisor; pod.spec.nodeSelector[runtime] = kata"},
	} {
		t.Run(test.name, func(t *testing.T) {
			pod := ofClass("refused", test.class)
			test.mutate(pod)
			_, err := a.Create(ctx, pods(""), pod, metav1.CreateOptions{})
			refused(t, err, test.says)
		})
	}
}
