package resource_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apiresource "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/kind"
	"leme/server/resource"
)

// newQuota makes a quota of which nothing is used yet.
func newQuota(t testing.TB, a *resource.API, name string, hard corev1.ResourceList) {
	t.Helper()
	tg := target(kind.ResourceQuota, "default", name)
	q := object[*corev1.ResourceQuota](t, create(t, a, tg.Named(""), &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.ResourceQuotaSpec{Hard: hard},
	})).DeepCopy()
	q.Status.Hard, q.Status.Used = hard, corev1.ResourceList{}
	for name := range hard {
		q.Status.Used[name] = apiresource.Quantity{}
	}
	tg.Subresource = resource.Status
	update(t, a, tg, q)
}

func used(t testing.TB, a *resource.API, quota, name string) string {
	t.Helper()
	it := must(a.Get(context.Background(), target(kind.ResourceQuota, "default", quota), metav1.GetOptions{}))(t)
	quantity := object[*corev1.ResourceQuota](t, it).Status.Used[corev1.ResourceName(name)]
	return quantity.String()
}

func counts(name, n string) corev1.ResourceList {
	return corev1.ResourceList{corev1.ResourceName(name): apiresource.MustParse(n)}
}

func TestQuotaIsNeverExceeded(t *testing.T) {
	a, ctx := newAPI(t), context.Background()
	newQuota(t, a, "pods", counts("pods", "7"))
	newQuota(t, a, "count", counts("count/pods", "100"))
	// A second server over the same store: only the transactions keep the two apart.
	servers := []*resource.API{a, resource.New(a.Store(), kind.All())}
	var made atomic.Int32
	var all sync.WaitGroup
	for i := range 30 {
		all.Go(func() {
			_, err := servers[i%2].Create(ctx, pods(""), newPod(fmt.Sprintf("p%d", i)), metav1.CreateOptions{})
			switch {
			case err == nil:
				made.Add(1)
			case !apierrors.IsForbidden(err):
				t.Error(err)
			}
		})
	}
	all.Wait()
	if made.Load() != 7 || used(t, a, "pods", "pods") != "7" || used(t, a, "count", "count/pods") != "7" {
		t.Errorf("made %d, %s and %s are counted", made.Load(), used(t, a, "pods", "pods"), used(t, a, "count", "count/pods"))
	}
}

func TestQuota(t *testing.T) {
	a, ctx := newAPI(t), context.Background()
	newQuota(t, a, "maps", counts("configmaps", "1"))
	t.Run("dry runs are checked and not counted", func(t *testing.T) {
		must(a.Create(ctx, configMaps(""), newConfigMap("dry", nil), metav1.CreateOptions{DryRun: []string{"All"}}))(t)
		if got := used(t, a, "maps", "configmaps"); got != "0" {
			t.Errorf("%s are used", got)
		}
	})
	create(t, a, configMaps(""), newConfigMap("one", nil))
	t.Run("full", func(t *testing.T) {
		const says = `configmaps "two" is forbidden: exceeded quota: maps, requested: configmaps=1, used: configmaps=1, limited: configmaps=1`
		for _, dry := range [][]string{nil, {"All"}} {
			_, err := a.Create(ctx, configMaps(""), newConfigMap("two", nil), metav1.CreateOptions{DryRun: dry})
			refused(t, err, says)
		}
	})
	t.Run("other kinds and updates", func(t *testing.T) {
		create(t, a, pods(""), newPod("p"))
		update(t, a, configMaps("one"), newConfigMap("one", map[string]string{"a": "1"}))
	})
	t.Run("a name that is taken counts once", func(t *testing.T) {
		newQuota(t, a, "pods", counts("pods", "9"))
		_, err := a.Create(ctx, pods(""), newPod("p"), metav1.CreateOptions{})
		reason(t, err, metav1.StatusReasonAlreadyExists)
		if got := used(t, a, "pods", "pods"); got != "0" {
			t.Errorf("%s are used", got)
		}
	})
}

func TestQuotaCountsResizes(t *testing.T) {
	a, ctx := newAPI(t), context.Background()
	newQuota(t, a, "cpu", counts("requests.cpu", "1"))
	asks := func(pod *corev1.Pod, cpu string) *corev1.Pod {
		pod.Spec.Containers[0].Resources.Requests = counts("cpu", cpu)
		return pod
	}
	create(t, a, pods(""), asks(newPod("p"), "400m"))
	resize := pods("p")
	resize.Subresource = resource.Resize
	if _, _, err := a.Update(ctx, resize, asks(newPod("p"), "2"), metav1.UpdateOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("a resize beyond the quota: %v", err)
	}
	it, _, err := a.Update(ctx, resize, asks(newPod("p"), "900m"), metav1.UpdateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	pod := object[*corev1.Pod](t, it)
	if cpu := pod.Spec.Containers[0].Resources.Requests["cpu"]; cpu.String() != "900m" || pod.Generation != 2 {
		t.Errorf("resized to %s, generation %d", cpu.String(), pod.Generation)
	}
	if got := used(t, a, "cpu", "requests.cpu"); got != "900m" {
		t.Errorf("%s are used", got)
	}
	for _, f := range pod.ManagedFields {
		if f.Subresource == resource.Resize && strings.Contains(f.FieldsV1.GetRawString(), "f:image") {
			t.Errorf("a resize owns %s", f.FieldsV1.GetRawString())
		}
	}
}
