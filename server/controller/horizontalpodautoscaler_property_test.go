package controller

import (
	"testing"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"
)

// rules are any that validation lets through.
func rules(t *rapid.T, name string) *autoscalingv2.HPAScalingRules {
	r := &autoscalingv2.HPAScalingRules{
		StabilizationWindowSeconds: ptr.To(rapid.Int32Range(0, 120).Draw(t, name+" window")),
		SelectPolicy: ptr.To(rapid.SampledFrom([]autoscalingv2.ScalingPolicySelect{
			autoscalingv2.MaxChangePolicySelect, autoscalingv2.MinChangePolicySelect, autoscalingv2.DisabledPolicySelect,
		}).Draw(t, name+" select")),
	}
	for range rapid.IntRange(1, 3).Draw(t, name+" policies") {
		r.Policies = append(r.Policies, autoscalingv2.HPAScalingPolicy{
			Type:          rapid.SampledFrom([]autoscalingv2.HPAScalingPolicyType{autoscalingv2.PodsScalingPolicy, autoscalingv2.PercentScalingPolicy}).Draw(t, "type"),
			Value:         rapid.Int32Range(1, 200).Draw(t, "value"),
			PeriodSeconds: rapid.Int32Range(1, 120).Draw(t, "period"),
		})
	}
	return r
}

// state puts a pod into a state, and says whether it is measured.
func state(t *rapid.T, v *autoscalerView, i int) (measured bool) {
	switch rapid.IntRange(0, 5).Draw(t, "state") {
	case 0:
		v.pods[i].Status.Phase = corev1.PodPending
	case 1:
		v.pods[i].Status.Conditions[0].Status = corev1.ConditionFalse
	case 2:
		leaving(v.pods[i])
	case 3:
		return false
	}
	return true
}

// Whatever is measured of pods in whatever state: the bounds hold, what is switched off stays so, no metric is taken to
// want what it does not, and the same view gives the same plan.
func TestAutoscalerBoundsHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 12).Draw(t, "replicas")
		var used []int64
		for range n {
			used = append(used, rapid.Int64Range(0, 1e6).Draw(t, "used"))
		}
		v := testScaling(used...)
		least, most := rapid.Int32Range(1, 6).Draw(t, "min"), rapid.Int32Range(6, 12).Draw(t, "max")
		v.autoscaler.Spec.MinReplicas, v.autoscaler.Spec.MaxReplicas = &least, most
		if rapid.Bool().Draw(t, "behavior") {
			v.autoscaler.Spec.Behavior = &autoscalingv2.HorizontalPodAutoscalerBehavior{ScaleUp: rules(t, "up"), ScaleDown: rules(t, "down")}
		}
		usage := v.usage
		v.usage = nil
		for i := range n {
			if state(t, v, i) {
				v.usage = append(v.usage, usage[i])
			}
		}
		for range rapid.IntRange(0, 5).Draw(t, "history") {
			recommended(rapid.Int32Range(0, 20).Draw(t, "recommended"), time.Duration(rapid.IntRange(0, 400).Draw(t, "before"))*time.Second)(v)
		}
		p := planAutoscaler(*v)
		switch {
		case n == 0 && p.rescale:
			t.Fatalf("what is switched off is scaled: %s", p)
		case p.rescale && (p.replicas < least || p.replicas > most):
			t.Fatalf("out of %d to %d: %s", least, most, p)
		case p.rescale && p.replicas == int32(n):
			t.Fatalf("scaled to what there is: %s", p)
		case len(v.usage) == 0 && p.rescale && int32(n) >= least && int32(n) <= most:
			t.Fatalf("scaled by nothing: %s", p)
		}
		if b := v.autoscaler.Spec.Behavior; b != nil && p.rescale && int32(n) >= least && int32(n) <= most {
			r := b.ScaleUp
			if p.replicas < int32(n) {
				r = b.ScaleDown
			}
			if *r.SelectPolicy == autoscalingv2.DisabledPolicySelect {
				t.Fatalf("scaled in a direction that is switched off: %s", p)
			}
		}
		if again := planAutoscaler(*v); again.String() != p.String() {
			t.Fatalf("%s, then %s", p, again)
		}
	})
}

// A load that stays is answered by a number of replicas that stays, and that carries it.
func TestAutoscalerSettles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		load := rapid.Int64Range(1, 8000).Draw(t, "load")
		start := rapid.IntRange(2, 10).Draw(t, "replicas")
		replicas, v := int32(start), testScaling()
		history, now := v.history, testNow
		var last int32
		for round := range 60 { // a quarter of an hour
			used := make([]int64, replicas)
			for i := range used {
				used[i] = load / int64(replicas)
			}
			v = testScaling(used...)
			v.autoscaler.Spec.MinReplicas = ptr.To[int32](1)
			v.history, v.now = history, now.Add(time.Duration(round)*15*time.Second)
			p := planAutoscaler(*v)
			if p.rescale {
				p = p.done(*v, nil)
				replicas = p.replicas
			}
			history = p.history
			if round == 50 {
				last = replicas
			}
		}
		if replicas != last {
			t.Fatalf("after %d replicas there are %d", last, replicas)
		}
		if each := float64(load) / float64(replicas); each > 560 && replicas < 10 || each < 250 && replicas > 1 {
			t.Fatalf("%d replicas use %.0f each", replicas, each)
		}
	})
}
