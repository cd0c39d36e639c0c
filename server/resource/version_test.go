package resource_test

import (
	"context"
	"strings"
	"testing"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"leme/server/kind"
	"leme/server/resource"
)

func autoscalers(k *kind.Kind, name string) resource.Target { return target(k, "default", name) }

var (
	v1 = kind.HorizontalPodAutoscalerV1
	v2 = kind.HorizontalPodAutoscaler
)

func newAutoscalerV1(name string) *autoscalingv1.HorizontalPodAutoscaler {
	return &autoscalingv1.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: autoscalingv1.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv1.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"},
			MaxReplicas:    5, TargetCPUUtilizationPercentage: new(int32(60)),
		},
	}
}

func TestOneObjectInTwoVersions(t *testing.T) {
	a, ctx := newAPI(t), context.Background()
	made := create(t, a, autoscalers(v1, ""), newAutoscalerV1("web"))
	if !strings.HasPrefix(string(made.JSON), `{"kind":"HorizontalPodAutoscaler","apiVersion":"autoscaling/v1",`) {
		t.Errorf("a client of v1 is answered %s", made.JSON)
	}
	stored := object[*autoscalingv2.HorizontalPodAutoscaler](t, must(a.Get(ctx, autoscalers(v2, "web"), metav1.GetOptions{}))(t))
	if *stored.Spec.Metrics[0].Resource.Target.AverageUtilization != 60 || stored.ResourceVersion != object[*autoscalingv1.HorizontalPodAutoscaler](t, made).ResourceVersion {
		t.Errorf("got %+v", stored)
	}
	again, list := must(a.Get(ctx, autoscalers(v1, "web"), metav1.GetOptions{}))(t), mustList(t, a, autoscalers(v1, ""), metav1.ListOptions{})
	if again != list.Items[0] {
		t.Error("the same revision was converted twice")
	}
	patch := `{"spec":{"targetCPUUtilizationPercentage":30}}`
	it, _, err := a.Patch(ctx, autoscalers(v1, "web"), types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	if got := object[*autoscalingv1.HorizontalPodAutoscaler](t, must(it, err)(t)); *got.Spec.TargetCPUUtilizationPercentage != 30 {
		t.Errorf("got %+v", got)
	}
	status := object[*autoscalingv1.HorizontalPodAutoscaler](t, it).DeepCopy()
	status.Status.CurrentReplicas = 3
	tg := autoscalers(v1, "web")
	tg.Subresource = resource.Status
	it, _, err = a.Update(ctx, tg, status, metav1.UpdateOptions{})
	if got := object[*autoscalingv1.HorizontalPodAutoscaler](t, must(it, err)(t)); got.Status.CurrentReplicas != 3 || got.Generation != 2 {
		t.Errorf("got %+v", got)
	}
	it, gone, err := a.Delete(ctx, autoscalers(v1, "web"), metav1.DeleteOptions{})
	if must(it, err)(t); !gone || object[*autoscalingv1.HorizontalPodAutoscaler](t, it).Name != "web" {
		t.Error("it is still there")
	}
}

func TestManagersOfTwoVersions(t *testing.T) {
	a, ctx := newAPI(t), context.Background()
	create(t, a, autoscalers(v2, ""), &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"}, MaxReplicas: 5,
		},
	})
	apply := func(k *kind.Kind, config, manager string, force bool) error {
		o := metav1.PatchOptions{FieldManager: manager, Force: &force}
		_, _, err := a.Patch(ctx, autoscalers(k, "web"), types.ApplyYAMLPatchType, []byte(config), o)
		return err
	}
	const old = "apiVersion: autoscaling/v1\nkind: HorizontalPodAutoscaler\nmetadata: {name: web}\nspec: {maxReplicas: 7}"
	reason(t, apply(v1, old, "old", false), metav1.StatusReasonConflict)
	if err := apply(v1, old, "old", true); err != nil {
		t.Fatal(err)
	}
	const young = "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: web}\nspec: {maxReplicas: 8}"
	reason(t, apply(v2, young, "young", false), metav1.StatusReasonConflict)
	versions := map[string]string{}
	got := object[*autoscalingv2.HorizontalPodAutoscaler](t, must(a.Get(ctx, autoscalers(v2, "web"), metav1.GetOptions{}))(t))
	for _, claim := range got.ManagedFields {
		versions[claim.Manager] = claim.APIVersion
	}
	if got.Spec.MaxReplicas != 7 || versions["old"] != "autoscaling/v1" || versions["tester"] != "autoscaling/v2" {
		t.Errorf("%d replicas at most; managers %v", got.Spec.MaxReplicas, versions)
	}
}

func TestEventsOfBothGroupsAreTheSame(t *testing.T) {
	a := newAPI(t)
	old, young := target(kind.Event, "default", ""), target(kind.EventsEvent, "default", "")
	regarding := corev1.ObjectReference{Kind: "Pod", Name: "web", Namespace: "default"}
	_, err := a.Create(t.Context(), young, &eventsv1.Event{ObjectMeta: metav1.ObjectMeta{Name: "bare"}, Regarding: regarding}, metav1.CreateOptions{})
	reason(t, err, metav1.StatusReasonInvalid)
	w, err := a.Watch(t.Context(), young, metav1.ListOptions{FieldSelector: "regarding.name=web"})
	if err != nil {
		t.Fatal(err)
	}
	create(t, a, old, &corev1.Event{ObjectMeta: metav1.ObjectMeta{Name: "other"}, InvolvedObject: corev1.ObjectReference{Name: "db", Namespace: "default"}})
	create(t, a, young, &eventsv1.Event{
		ObjectMeta: metav1.ObjectMeta{Name: "e"}, Regarding: regarding, Type: "Normal", Note: "hello",
		EventTime: metav1.NowMicro(), ReportingController: "x.io/c", ReportingInstance: "i", Action: "Act", Reason: "Why",
	})
	events, err := w.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := object[*eventsv1.Event](t, events[0].Item); len(events) != 1 || events[0].Type != watch.Added || got.Note != "hello" {
		t.Errorf("got %d events, %+v", len(events), got)
	}
	list := mustList(t, a, old, metav1.ListOptions{FieldSelector: "involvedObject.name=web"})
	if len(list.Items) != 1 || object[*corev1.Event](t, list.Items[0]).Message != "hello" {
		t.Errorf("the old group has %d", len(list.Items))
	}
	_, err = a.List(t.Context(), young, metav1.ListOptions{FieldSelector: "involvedObject.name=web"})
	reason(t, err, metav1.StatusReasonBadRequest)
}

func mustList(t *testing.T, a *resource.API, tg resource.Target, o metav1.ListOptions) *resource.List {
	t.Helper()
	list, err := a.List(t.Context(), tg, o)
	if err != nil {
		t.Fatal(err)
	}
	return list
}
