package controller_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	apiresource "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/kind"
	"leme/server/resource"
)

func TestQuotaIsCounted(t *testing.T) {
	c := newCluster(t)
	quotas := resource.For[*corev1.ResourceQuota](c.api, kind.ResourceQuota, tester)
	maps := resource.For[*corev1.ConfigMap](c.api, kind.ConfigMap, tester)
	newMap := func(name string) *corev1.ConfigMap {
		return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}}
	}
	used := func(want string) func() bool {
		return func() bool {
			q, ok := quotas.Get("default", "q")
			if !ok {
				return false
			}
			quantity, counted := q.Status.Used["count/configmaps"]
			return counted && quantity.String() == want
		}
	}
	made(t)(maps.Create(t.Context(), newMap("before")))
	c.await("the CA is published", func() bool { _, ok := maps.Get("default", "kube-root-ca.crt"); return ok })
	made(t)(quotas.Create(t.Context(), &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "q"},
		Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{"count/configmaps": apiresource.MustParse("3")}},
	}))
	c.await("what there was is counted", used("2"))
	made(t)(maps.Create(t.Context(), newMap("after")))
	if !used("3")() {
		t.Error("a creation was not counted at once")
	}
	if err := maps.Delete(t.Context(), "default", "before", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	c.await("a deletion is counted", used("2"))
}
