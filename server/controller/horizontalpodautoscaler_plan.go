package controller

import (
	"fmt"
	"slices"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"
	"k8s.io/utils/ptr"

	"leme/server/kind"
)

// autoscalerView is what an autoscaler is planned from.
type autoscalerView struct {
	autoscaler *autoscalingv2.HorizontalPodAutoscaler
	kind       *kind.Kind           // of what it names
	scale      *autoscalingv1.Scale // of the same
	scaleErr   error                // why there is none
	pods       []*corev1.Pod        // that the scale's selector selects
	rivals     []string             // autoscalers that select some of the same
	usage      []*metricsv1beta1.PodMetrics
	usageErr   error
	history    scalingHistory
	now        time.Time
}

// autoscalerPlan is what to do.
type autoscalerPlan struct {
	rescale  bool
	replicas int32  // to have, where rescale is set
	reason   string // why
	status   autoscalingv2.HorizontalPodAutoscalerStatus
	events   []plannedEvent
	history  scalingHistory
}

// String tells the plan as a sentence, and the conditions as reasons.
func (p autoscalerPlan) String() string {
	text := "keep"
	if p.rescale {
		text = fmt.Sprintf("scale to %d: %s", p.replicas, p.reason)
	}
	for _, c := range p.status.Conditions {
		text += fmt.Sprintf("; %s=%s %s", c.Type, c.Status, c.Reason)
	}
	return text
}

func (p *autoscalerPlan) warn(reason, message string) {
	p.events = append(p.events, plannedEvent{corev1.EventTypeWarning, reason, message})
}

// condition sets a condition of the status. It has changed when its truth has.
func (p *autoscalerPlan) condition(of autoscalingv2.HorizontalPodAutoscalerConditionType, is corev1.ConditionStatus, reason, message string, now time.Time) {
	i := slices.IndexFunc(p.status.Conditions, func(c autoscalingv2.HorizontalPodAutoscalerCondition) bool { return c.Type == of })
	if i < 0 {
		i = len(p.status.Conditions)
		p.status.Conditions = append(p.status.Conditions, autoscalingv2.HorizontalPodAutoscalerCondition{Type: of})
	}
	c := &p.status.Conditions[i]
	if c.Status != is {
		c.Status, c.LastTransitionTime = is, metav1.NewTime(now)
	}
	c.Reason, c.Message = reason, message
}

// planAutoscaler decides how many replicas there should be: none where somebody has switched it off by asking for none,
// within the bounds where there are more or fewer, else as many as the metric wants that wants most, as fast as the
// autoscaler's behavior lets it.
func planAutoscaler(v autoscalerView) autoscalerPlan {
	a := v.autoscaler
	p := autoscalerPlan{status: *a.Status.DeepCopy(), history: v.history}
	if v.scaleErr != nil {
		p.warn("FailedGetScale", v.scaleErr.Error())
		p.condition(autoscalingv2.AbleToScale, corev1.ConditionFalse, "FailedGetScale",
			fmt.Sprintf("the HPA controller was unable to get the target's current scale: %v", v.scaleErr), v.now)
		return p
	}
	p.condition(autoscalingv2.AbleToScale, corev1.ConditionTrue, "SucceededGetScale",
		"the HPA controller was able to get the target's current scale", v.now)
	current, least := v.scale.Spec.Replicas, ptr.Deref(a.Spec.MinReplicas, 1)
	if p.history.recommendations == nil {
		p.history.recommendations = []recommendation{{current, v.now}}
	}
	switch {
	case current == 0 && !v.mayLeaveZero(least):
		p.condition(autoscalingv2.ScalingActive, corev1.ConditionFalse, "ScalingDisabled",
			"scaling is disabled since the replica count of the target is zero", v.now)
		p.settle(v, current, current, nil)
		return p
	case current > a.Spec.MaxReplicas:
		p.want(a.Spec.MaxReplicas, "Current number of replicas above Spec.MaxReplicas")
		p.settle(v, current, p.replicas, nil)
	case current != 0 && current < least:
		p.want(least, "Current number of replicas below Spec.MinReplicas")
		p.settle(v, current, p.replicas, nil)
	default:
		p.byMetrics(v, current, least)
	}
	return p
}

// mayLeaveZero tells whether none are asked for because the autoscaler itself has done so.
func (v autoscalerView) mayLeaveZero(least int32) bool {
	own := slices.ContainsFunc(v.autoscaler.Status.Conditions, func(c autoscalingv2.HorizontalPodAutoscalerCondition) bool {
		return c.Type == autoscalingv2.ScaledToZero && c.Status == corev1.ConditionTrue
	})
	return own && (least != 0 || v.measuredOutside())
}

// measuredOutside tells of metrics that there are without pods.
func (v autoscalerView) measuredOutside() bool {
	return slices.ContainsFunc(v.autoscaler.Spec.Metrics, func(m autoscalingv2.MetricSpec) bool {
		return m.Type == autoscalingv2.ObjectMetricSourceType || m.Type == autoscalingv2.ExternalMetricSourceType
	})
}

func (p *autoscalerPlan) want(replicas int32, reason string) {
	p.rescale, p.replicas, p.reason = true, replicas, reason
}

// byMetrics asks the metrics, and scales as fast as that may be.
func (p *autoscalerPlan) byMetrics(v autoscalerView, current, least int32) {
	wanted, metric, statuses, err := p.ask(v)
	if err != nil {
		p.warn("FailedComputeMetricsReplicas", err.Error())
		p.settle(v, current, v.autoscaler.Status.DesiredReplicas, statuses)
		return
	}
	reason := ""
	switch {
	case wanted > current:
		reason = metric + " above target"
	case wanted < current:
		reason = "All metrics below target"
	}
	replicas := p.normalize(v, wanted, least)
	if current == 0 && least != 0 && replicas < least {
		replicas = least
		if reason == "" {
			reason = "Current number of replicas below Spec.MinReplicas"
		}
	}
	if replicas != current {
		p.want(replicas, reason)
	}
	p.settle(v, current, replicas, statuses)
}

// settle writes the status down.
func (p *autoscalerPlan) settle(v autoscalerView, current, desired int32, metrics []autoscalingv2.MetricStatus) {
	p.status.CurrentReplicas, p.status.DesiredReplicas, p.status.CurrentMetrics = current, desired, metrics
	p.status.ObservedGeneration = ptr.To(v.autoscaler.Generation)
}

// done is the plan after it has been tried to scale.
func (p autoscalerPlan) done(v autoscalerView, err error) autoscalerPlan {
	p.status, p.events = *p.status.DeepCopy(), slices.Clone(p.events)
	current := v.scale.Spec.Replicas
	if err != nil {
		p.warn("FailedRescale", fmt.Sprintf("New size: %d; reason: %s; error: %v", p.replicas, p.reason, err))
		p.condition(autoscalingv2.AbleToScale, corev1.ConditionFalse, "FailedUpdateScale",
			fmt.Sprintf("the HPA controller was unable to update the target scale: %v", err), v.now)
		p.status.DesiredReplicas = v.autoscaler.Status.DesiredReplicas
		return p
	}
	p.condition(autoscalingv2.AbleToScale, corev1.ConditionTrue, "SucceededRescale",
		fmt.Sprintf("the HPA controller was able to update the target scale to %d", p.replicas), v.now)
	p.events = append(p.events, plannedEvent{corev1.EventTypeNormal, "SuccessfulRescale", fmt.Sprintf("New size: %d; reason: %s", p.replicas, p.reason)})
	if p.replicas == 0 && ptr.Deref(v.autoscaler.Spec.MinReplicas, 1) == 0 && v.measuredOutside() {
		p.condition(autoscalingv2.ScaledToZero, corev1.ConditionTrue, "ScaledToZero", "the HPA controller scaled the workload to zero", v.now)
	} else {
		p.condition(autoscalingv2.ScaledToZero, corev1.ConditionFalse, "NotScaledToZero", "the HPA controller did not scale the workload to zero", v.now)
	}
	p.history = p.history.scaled(v.autoscaler.Spec.Behavior, current, p.replicas, v.now)
	p.status.LastScaleTime = ptr.To(metav1.NewTime(v.now))
	return p
}

// selector is what selects the pods. Without one, or where another autoscaler's selects some of them too, nothing can
// be decided.
func (p *autoscalerPlan) selector(v autoscalerView) error {
	text := v.scale.Status.Selector
	refuse := func(event, reason, message, condition string) error {
		p.warn(event, message)
		p.condition(autoscalingv2.ScalingActive, corev1.ConditionFalse, reason, condition, v.now)
		return fmt.Errorf("%s", message)
	}
	if text == "" {
		return refuse("SelectorRequired", "InvalidSelector", "selector is required", "the HPA target's scale is missing a selector")
	}
	if _, err := labels.Parse(text); err != nil {
		message := fmt.Sprintf("couldn't convert selector into a corresponding internal selector object: %v", err)
		return refuse("InvalidSelector", "InvalidSelector", message, message)
	}
	if len(v.rivals) > 0 {
		type named struct{ Name, Namespace string }
		of := []named{{v.autoscaler.Name, v.autoscaler.Namespace}}
		for _, name := range v.rivals {
			of = append(of, named{name, v.autoscaler.Namespace})
		}
		message := fmt.Sprintf("pods by selector %v are controlled by more than one HPA (e.g. %v)", text, of)
		return refuse("AmbiguousSelector", "AmbiguousSelector", message, message)
	}
	return nil
}
