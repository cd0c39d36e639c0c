package kind

import (
	"math/rand"
	"testing"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/apitesting/fuzzer"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metafuzzer "k8s.io/apimachinery/pkg/apis/meta/fuzzer"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
)

// converted takes an object to a version and back.
func converted(t *testing.T, k *Kind, stored runtime.Object) (shown, again runtime.Object) {
	t.Helper()
	before := stored.DeepCopyObject()
	shown, err := k.FromStored(stored)
	if err != nil {
		t.Fatal(err)
	}
	kept := shown.DeepCopyObject()
	if again, err = k.ToStored(shown); err != nil {
		t.Fatal(err)
	}
	if !equality.Semantic.DeepEqual(stored, before) || !equality.Semantic.DeepEqual(shown, kept) {
		t.Error("a conversion changed what it was given")
	}
	return shown, again
}

func TestEventsKeepAllTheyHaveInBothGroups(t *testing.T) {
	fill := fuzzer.FuzzerFor(metafuzzer.Funcs, rand.NewSource(1), serializer.NewCodecFactory(scheme.Scheme))
	for range 100 {
		e := &corev1.Event{}
		fill.Fill(e)
		if _, again := converted(t, EventsEvent, e); !equality.Semantic.DeepEqual(again, e) {
			t.Fatalf("got  %+v\nwant %+v", again, e)
		}
	}
	e := &corev1.Event{InvolvedObject: corev1.ObjectReference{Kind: "Pod"}, Message: "m", Count: 2, ReportingController: "c"}
	shown, _ := converted(t, EventsEvent, e)
	if s := shown.(*eventsv1.Event); s.Regarding.Kind != "Pod" || s.Note != "m" || s.DeprecatedCount != 2 {
		t.Errorf("got %+v", s)
	}
	if set := EventsEvent.Fields(shown); set["regarding.kind"] != "Pod" || set["reportingController"] != "c" {
		t.Errorf("got %v", set)
	}
}

func TestAutoscalersKeepAllTheyHaveInV1(t *testing.T) {
	quantity := func(s string) *resource.Quantity { return pointsTo(resource.MustParse(s)) }
	id := autoscalingv2.MetricIdentifier{Name: "queue", Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"a": "b"}}}
	object := autoscalingv2.CrossVersionObjectReference{Kind: "Service", Name: "s", APIVersion: "v1"}
	a := &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Annotations: map[string]string{"own": "kept"}},
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{Kind: "Deployment", Name: "web", APIVersion: "apps/v1"},
			MaxReplicas:    9,
			Metrics: []autoscalingv2.MetricSpec{
				{Type: "Pods", Pods: &autoscalingv2.PodsMetricSource{Metric: id, Target: autoscalingv2.MetricTarget{Type: "AverageValue", AverageValue: quantity("3")}}},
				{Type: "Object", Object: &autoscalingv2.ObjectMetricSource{DescribedObject: object, Metric: id, Target: autoscalingv2.MetricTarget{Type: "AverageValue", AverageValue: quantity("3")}}},
				{Type: "External", External: &autoscalingv2.ExternalMetricSource{Metric: id, Target: autoscalingv2.MetricTarget{Type: "Value", Value: quantity("3")}}},
				{Type: "Resource", Resource: &autoscalingv2.ResourceMetricSource{Name: "memory", Target: autoscalingv2.MetricTarget{Type: "Utilization", AverageUtilization: pointsTo(int32(7))}}},
				{Type: "ContainerResource", ContainerResource: &autoscalingv2.ContainerResourceMetricSource{
					Name: "cpu", Container: "c", Target: autoscalingv2.MetricTarget{Type: "AverageValue", AverageValue: quantity("1m")}}},
				cpuUtilization(70),
			},
			Behavior: &autoscalingv2.HorizontalPodAutoscalerBehavior{ScaleUp: &autoscalingv2.HPAScalingRules{Tolerance: quantity("50m")}},
		},
		Status: autoscalingv2.HorizontalPodAutoscalerStatus{
			CurrentReplicas: 2,
			CurrentMetrics: []autoscalingv2.MetricStatus{{Type: "Resource", Resource: &autoscalingv2.ResourceMetricStatus{
				Name: "cpu", Current: autoscalingv2.MetricValueStatus{AverageUtilization: pointsTo(int32(12)), AverageValue: quantity("20m")}}}},
			Conditions: []autoscalingv2.HorizontalPodAutoscalerCondition{{Type: autoscalingv2.AbleToScale, Status: "True", Reason: "r"}},
		},
	}
	defaultAutoscaler(a)
	shown, again := converted(t, HorizontalPodAutoscalerV1, a)
	if !equality.Semantic.DeepEqual(again, a) {
		t.Errorf("got  %+v\nwant %+v", again, a)
	}
	v1 := shown.(*autoscalingv1.HorizontalPodAutoscaler)
	if *v1.Spec.TargetCPUUtilizationPercentage != 70 || *v1.Status.CurrentCPUUtilizationPercentage != 12 || len(v1.Annotations) != 5 {
		t.Errorf("got %+v", v1)
	}
	const behavior = `{"ScaleUp":{"StabilizationWindowSeconds":0,"SelectPolicy":"Max","Policies":[{"Type":"Pods","Value":4,"PeriodSeconds":15},` +
		`{"Type":"Percent","Value":100,"PeriodSeconds":15}],"Tolerance":"50m"},"ScaleDown":{"StabilizationWindowSeconds":null,"SelectPolicy":"Max",` +
		`"Policies":[{"Type":"Percent","Value":100,"PeriodSeconds":15}],"Tolerance":null}}`
	if got := v1.Annotations[behaviorAnnotation]; got != behavior {
		t.Errorf("got %s", got)
	}
	if row := HorizontalPodAutoscalerV1.Row(v1); row[1] != "Deployment/web" || row[2] != "<unknown>/3, <unknown>/3 (avg) + 4 more..." {
		t.Errorf("got %v", row)
	}
}

func TestAutoscalerV1WithoutMetricsMeansProcessors(t *testing.T) {
	stored, err := HorizontalPodAutoscalerV1.ToStored(&autoscalingv1.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{metricsAnnotation: "{"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defaultAutoscaler(stored.(*autoscalingv2.HorizontalPodAutoscaler))
	if m := stored.(*autoscalingv2.HorizontalPodAutoscaler).Spec.Metrics; len(m) != 1 || *m[0].Resource.Target.AverageUtilization != 80 {
		t.Errorf("got %+v", m)
	}
}
