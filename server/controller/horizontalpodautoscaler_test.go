package controller

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	apiresource "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"
	"k8s.io/utils/ptr"

	"leme/server/kind"
)

// testScaling is an autoscaler from 2 to 10 that wants half of a requested processor used, over three pods that request
// a processor each and use as many thousandths of it as is said.
func testScaling(used ...int64) *autoscalerView {
	a := &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web", Generation: 7},
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"},
			MinReplicas:    ptr.To[int32](2), MaxReplicas: 10,
			Metrics: []autoscalingv2.MetricSpec{cpuTarget(50)},
		},
	}
	v := &autoscalerView{autoscaler: a, kind: kind.Deployment, now: testNow}
	v.scale = &autoscalingv1.Scale{Spec: autoscalingv1.ScaleSpec{Replicas: int32(len(used))}, Status: autoscalingv1.ScaleStatus{Selector: "app=web"}}
	for i, milli := range used {
		name := fmt.Sprintf("web-%d", i)
		v.pods = append(v.pods, testPod(name, requesting("1"), func(p *corev1.Pod) { p.Status.StartTime = ptr.To(ago(time.Hour)) }))
		v.usage = append(v.usage, using(name, milli))
	}
	return v
}

func cpuTarget(percent int32) autoscalingv2.MetricSpec {
	return autoscalingv2.MetricSpec{Type: autoscalingv2.ResourceMetricSourceType, Resource: &autoscalingv2.ResourceMetricSource{
		Name: corev1.ResourceCPU, Target: autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: &percent},
	}}
}

func requesting(cpu string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.Containers = []corev1.Container{{Name: "app", Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceCPU: apiresource.MustParse(cpu)},
		}}}
	}
}

func using(pod string, milli int64) *metricsv1beta1.PodMetrics {
	return &metricsv1beta1.PodMetrics{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: pod}, Timestamp: metav1.NewTime(testNow), Window: metav1.Duration{Duration: 15 * time.Second},
		Containers: []metricsv1beta1.ContainerMetrics{{Name: "app", Usage: corev1.ResourceList{
			corev1.ResourceCPU:    *apiresource.NewMilliQuantity(milli, apiresource.DecimalSI),
			corev1.ResourceMemory: apiresource.MustParse("100Mi"),
		}}},
	}
}

func behaving(b autoscalingv2.HorizontalPodAutoscalerBehavior) func(*autoscalerView) {
	return func(v *autoscalerView) {
		v.autoscaler.Spec.Behavior = &b
		kind.HorizontalPodAutoscaler.Default(v.autoscaler)
	}
}

func recommended(replicas int32, before time.Duration) func(*autoscalerView) {
	return func(v *autoscalerView) {
		v.history.recommendations = append(v.history.recommendations, recommendation{replicas, v.now.Add(-before)})
	}
}

const (
	able    = "AbleToScale=True ReadyForNewScale"
	asked   = "ScalingActive=True ValidMetricFound"
	free    = "ScalingLimited=False DesiredWithinRange"
	allGood = able + "; " + asked + "; " + free
)

func TestPlanAutoscaler(t *testing.T) {
	pods := func(mutate func(*corev1.Pod)) func(*autoscalerView) {
		return func(v *autoscalerView) { mutate(v.pods[0]) }
	}
	for _, test := range []struct {
		name   string
		used   []int64
		mutate func(*autoscalerView)
		want   string
		event  string // part of one
	}{
		{"on target", []int64{500, 500, 500}, nil, "keep; " + allGood, ""},
		{"tolerated", []int64{540, 540, 540}, nil, "keep; " + allGood, ""},
		{"above target", []int64{1000, 1000, 1000}, nil, "scale to 6: cpu resource utilization (percentage of request) above target; " + allGood, ""},
		{"below target", []int64{100, 100, 100, 100}, nil,
			"scale to 2: All metrics below target; " + able + "; " + asked + "; ScalingLimited=True TooFewReplicas", ""},
		{"below target, wanted more lately", []int64{100, 100, 100, 100}, recommended(4, time.Minute),
			"keep; AbleToScale=True ScaleDownStabilized; " + asked + "; " + free, ""},
		{"below target, wanted more long ago", []int64{250, 250, 250, 250}, recommended(4, time.Hour), "scale to 2: All metrics below target; " + allGood, ""},
		{"as fast as may be", []int64{4000, 4000, 4000}, nil,
			"scale to 6: cpu resource utilization (percentage of request) above target; " + able + "; " + asked + "; ScalingLimited=True ScaleUpLimit", ""},
		{"as many as may be", []int64{2000, 2000, 2000, 2000, 2000, 2000}, nil,
			"scale to 10: cpu resource utilization (percentage of request) above target; " + able + "; " + asked + "; ScalingLimited=True TooManyReplicas", ""},
		{"more than may be", make([]int64, 12), nil, "scale to 10: Current number of replicas above Spec.MaxReplicas; AbleToScale=True SucceededGetScale", ""},
		{"fewer than may be", []int64{500}, nil, "scale to 2: Current number of replicas below Spec.MinReplicas; AbleToScale=True SucceededGetScale", ""},
		{"switched off", nil, nil, "keep; AbleToScale=True SucceededGetScale; ScalingActive=False ScalingDisabled", ""},
		{"nothing to scale", []int64{500}, func(v *autoscalerView) { v.scale, v.scaleErr = nil, errors.New(`deployments.apps "web" not found`) },
			"keep; AbleToScale=False FailedGetScale", `FailedGetScale deployments.apps "web" not found`},
		{"no selector", []int64{500, 500}, func(v *autoscalerView) { v.scale.Status.Selector = "" },
			"keep; AbleToScale=True SucceededGetScale; ScalingActive=False InvalidSelector", "SelectorRequired selector is required"},
		{"two autoscalers", []int64{500, 500}, func(v *autoscalerView) { v.rivals = []string{"other"} },
			"keep; AbleToScale=True SucceededGetScale; ScalingActive=False AmbiguousSelector",
			"AmbiguousSelector pods by selector app=web are controlled by more than one HPA (e.g. [{web default} {other default}])"},
		{"nothing measured", []int64{500, 500}, func(v *autoscalerView) { v.usage = nil },
			"keep; AbleToScale=True SucceededGetScale; ScalingActive=False FailedGetResourceMetric",
			"FailedComputeMetricsReplicas invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: " +
				"failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API"},
		{"no request", []int64{500, 500}, pods(func(p *corev1.Pod) { p.Spec.Containers[0].Resources.Requests = nil }),
			"keep; AbleToScale=True SucceededGetScale; ScalingActive=False FailedGetResourceMetric",
			"failed to get cpu utilization: missing request for cpu in container app of Pod web-0"},
		{"one not measured, fewer wanted", []int64{0, 100, 100}, func(v *autoscalerView) { v.usage = v.usage[1:] },
			"keep; " + allGood, ""}, // it may use all that it requests
		{"one not measured, more wanted", []int64{0, 1000, 1000}, func(v *autoscalerView) { v.usage = v.usage[1:] },
			"scale to 4: cpu resource utilization (percentage of request) above target; " + allGood, ""},
		{"one pending, more wanted", []int64{0, 600, 1000}, func(v *autoscalerView) { unscheduled(v.pods[0]); v.usage = v.usage[1:] },
			"keep; " + allGood, ""},
		{"one failed", []int64{5000, 300, 300}, pods(inPhase(corev1.PodFailed)), "scale to 2: All metrics below target; " + allGood, ""},
		{"one starts, and burns", []int64{5000, 300, 300}, pods(func(p *corev1.Pod) {
			p.Status.StartTime, p.Status.Conditions[0].Status = ptr.To(ago(time.Minute)), corev1.ConditionFalse
		}), "scale to 2: All metrics below target; " + allGood, ""},
		{"one has just become ready", []int64{5000, 300, 300}, pods(func(p *corev1.Pod) {
			p.Status.StartTime, p.Status.Conditions[0].LastTransitionTime = ptr.To(ago(time.Minute)), ago(10*time.Second)
		}), "scale to 2: All metrics below target; " + allGood, ""},
		{"one has never been ready", []int64{5000, 300, 300}, pods(func(p *corev1.Pod) {
			p.Status.Conditions[0] = corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: ago(time.Hour)}
		}), "scale to 2: All metrics below target; " + allGood, ""},
		{"of a container", []int64{1000, 1000}, func(v *autoscalerView) {
			v.autoscaler.Spec.Metrics[0] = autoscalingv2.MetricSpec{Type: autoscalingv2.ContainerResourceMetricSourceType, ContainerResource: &autoscalingv2.ContainerResourceMetricSource{
				Name: corev1.ResourceCPU, Container: "app", Target: v.autoscaler.Spec.Metrics[0].Resource.Target,
			}}
		}, "scale to 4: cpu container resource utilization (percentage of request) above target; " + allGood, ""},
		{"by an amount", []int64{1000, 1000}, func(v *autoscalerView) {
			v.autoscaler.Spec.Metrics[0].Resource.Name = corev1.ResourceMemory
			v.autoscaler.Spec.Metrics[0].Resource.Target = autoscalingv2.MetricTarget{Type: autoscalingv2.AverageValueMetricType, AverageValue: ptr.To(apiresource.MustParse("50Mi"))}
		}, "scale to 4: memory resource above target; " + allGood, ""},
		{"a metric that nobody serves", []int64{1000, 1000}, func(v *autoscalerView) {
			v.autoscaler.Spec.Metrics[0] = autoscalingv2.MetricSpec{Type: autoscalingv2.PodsMetricSourceType, Pods: &autoscalingv2.PodsMetricSource{Metric: autoscalingv2.MetricIdentifier{Name: "rps"}}}
		}, "keep; AbleToScale=True SucceededGetScale; ScalingActive=False FailedGetPodsMetric",
			"FailedGetPodsMetric unable to get metric rps: unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered"},
		{"one of two fails, more wanted", []int64{1000, 1000}, func(v *autoscalerView) {
			v.autoscaler.Spec.Metrics = append(v.autoscaler.Spec.Metrics, autoscalingv2.MetricSpec{Type: autoscalingv2.ExternalMetricSourceType, External: &autoscalingv2.ExternalMetricSource{}})
		}, "scale to 4: cpu resource utilization (percentage of request) above target; " + allGood, "FailedGetExternalMetric"},
		{"one of two fails, fewer wanted", []int64{1, 1, 1}, func(v *autoscalerView) {
			v.autoscaler.Spec.Metrics = append(v.autoscaler.Spec.Metrics, autoscalingv2.MetricSpec{Type: autoscalingv2.ExternalMetricSourceType, External: &autoscalingv2.ExternalMetricSource{}})
		}, "keep; AbleToScale=True SucceededGetScale; ScalingActive=False FailedGetExternalMetric", "FailedComputeMetricsReplicas"},
		{"its own tolerance", []int64{540, 540, 540}, behaving(autoscalingv2.HorizontalPodAutoscalerBehavior{
			ScaleUp: &autoscalingv2.HPAScalingRules{Tolerance: ptr.To(apiresource.MustParse("0.05"))},
		}), "scale to 4: cpu resource utilization (percentage of request) above target; " + allGood, ""},
		{"not up at all", []int64{1000, 1000}, behaving(autoscalingv2.HorizontalPodAutoscalerBehavior{
			ScaleUp: &autoscalingv2.HPAScalingRules{SelectPolicy: ptr.To(autoscalingv2.DisabledPolicySelect)},
		}), "keep; " + able + "; " + asked + "; ScalingLimited=True ScaleUpLimit", ""},
		{"one a minute, and one has been", []int64{1000, 1000, 1000}, func(v *autoscalerView) {
			behaving(autoscalingv2.HorizontalPodAutoscalerBehavior{ScaleUp: &autoscalingv2.HPAScalingRules{
				Policies: []autoscalingv2.HPAScalingPolicy{{Type: autoscalingv2.PodsScalingPolicy, Value: 1, PeriodSeconds: 60}},
			}})(v)
			v.history.ups = []scaling{{1, v.now.Add(-30 * time.Second)}}
		}, "keep; " + able + "; " + asked + "; ScalingLimited=True ScaleUpLimit", ""},
		{"down at once, by half", []int64{10, 10, 10, 10, 10, 10, 10, 10}, behaving(autoscalingv2.HorizontalPodAutoscalerBehavior{
			ScaleDown: &autoscalingv2.HPAScalingRules{
				StabilizationWindowSeconds: ptr.To[int32](0),
				Policies:                   []autoscalingv2.HPAScalingPolicy{{Type: autoscalingv2.PercentScalingPolicy, Value: 50, PeriodSeconds: 15}},
			},
		}), "scale to 4: All metrics below target; " + able + "; " + asked + "; ScalingLimited=True ScaleDownLimit", ""},
		{"up, not wanted for long enough", []int64{1000, 1000}, func(v *autoscalerView) {
			behaving(autoscalingv2.HorizontalPodAutoscalerBehavior{ScaleUp: &autoscalingv2.HPAScalingRules{StabilizationWindowSeconds: ptr.To[int32](60)}})(v)
			recommended(2, 30*time.Second)(v)
		}, "keep; AbleToScale=True ScaleUpStabilized; " + asked + "; " + free, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := testScaling(test.used...)
			if test.mutate != nil {
				test.mutate(v)
			}
			if len(v.history.recommendations) == 0 {
				recommended(0, time.Hour)(v) // so that the present number is no recommendation
			}
			p := planAutoscaler(*v)
			if got := p.String(); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			said := fmt.Sprint(p.events)
			if !strings.Contains(said, test.event) || test.event == "" && len(p.events) > 0 {
				t.Errorf("it says %s", said)
			}
			if v.scaleErr == nil && ptr.Deref(p.status.ObservedGeneration, 0) != 7 {
				t.Error("the generation is not told")
			}
		})
	}
}

func TestRescaled(t *testing.T) {
	v := testScaling(1000, 1000)
	behaving(autoscalingv2.HorizontalPodAutoscalerBehavior{ScaleUp: &autoscalingv2.HPAScalingRules{}})(v)
	p := planAutoscaler(*v)
	failed, done := p.done(*v, errors.New("no")), p.done(*v, nil)
	if c := failed.status.Conditions[0]; c.Reason != "FailedUpdateScale" || c.Status != corev1.ConditionFalse || failed.status.LastScaleTime != nil || len(failed.history.ups) != 0 {
		t.Errorf("failed: %s", failed)
	}
	if c := done.status.Conditions[0]; c.Reason != "SucceededRescale" || c.Message != "the HPA controller was able to update the target scale to 4" ||
		!done.status.LastScaleTime.Time.Equal(testNow) || done.status.DesiredReplicas != 4 || done.status.CurrentReplicas != 2 {
		t.Errorf("done: %s", done)
	}
	if got := done.history.ups; len(got) != 1 || got[0].by != 2 {
		t.Errorf("noted: %v", got)
	}
	if got := done.events; len(got) != 1 || got[0].message != "New size: 4; reason: cpu resource utilization (percentage of request) above target" {
		t.Errorf("said: %v", got)
	}
}
