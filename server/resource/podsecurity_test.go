package resource_test

import (
	"context"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/kind"
	"leme/server/resource"
	"leme/server/resource/resourcetest"
)

func namespaces(name string) resource.Target { return target(kind.Namespace, "", name) }

// secured makes a namespace with a level for its pods.
func secured(t testing.TB, a *resource.API, name, level string) {
	t.Helper()
	resourcetest.Namespace(t, a, name, map[string]string{"pod-security.kubernetes.io/enforce": level})
}

func onHost(pod *corev1.Pod) *corev1.Pod {
	pod.Spec.HostNetwork = true
	return pod
}

func TestPodSecurity(t *testing.T) {
	a := newAPI(t)
	var warned []string
	ctx := resource.WithWarnings(context.Background(), func(s string) { warned = append(warned, s) })
	secured(t, a, "team", "baseline")
	create(t, a, target(kind.Pod, "team", ""), newPod("good"))

	t.Run("a pod is refused", func(t *testing.T) {
		_, err := a.Create(ctx, target(kind.Pod, "team", ""), onHost(newPod("bad")), metav1.CreateOptions{})
		refused(t, err, `pods "bad" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)`)
	})
	t.Run("who makes a workload is warned", func(t *testing.T) {
		warned = nil
		rs := newReplicaSet("web", 1)
		rs.Spec.Template.Spec.HostNetwork = true
		must(a.Create(ctx, target(kind.ReplicaSet, "team", ""), rs, metav1.CreateOptions{}))(t)
		if len(warned) == 0 || warned[0] != `would violate PodSecurity "baseline:latest": host namespaces (hostNetwork=true)` {
			t.Errorf("got %q", warned)
		}
	})
	t.Run("a namespace that says nothing sensible", func(t *testing.T) {
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "odd", Labels: map[string]string{"pod-security.kubernetes.io/enforce": "loose"}}}
		_, err := a.Create(ctx, namespaces(""), ns, metav1.CreateOptions{})
		reason(t, err, metav1.StatusReasonInvalid)
		if !strings.Contains(err.Error(), `must be one of privileged, baseline, restricted`) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("pods that are there already", func(t *testing.T) {
		create(t, a, pods(""), onHost(newPod("old")))
		ns := object[*corev1.Namespace](t, must(a.Get(ctx, namespaces("default"), metav1.GetOptions{}))(t)).DeepCopy()
		ns.Labels["pod-security.kubernetes.io/enforce"] = "baseline"
		warned = nil
		if _, _, err := a.Update(ctx, namespaces("default"), ns, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		if len(warned) != 2 || warned[1] != "old: host namespaces" {
			t.Errorf("got %q", warned)
		}
		old := object[*corev1.Pod](t, must(a.Get(ctx, pods("old"), metav1.GetOptions{}))(t)).DeepCopy()
		old.Labels["touched"] = "yes"
		update(t, a, pods("old"), old)
	})
}
