package controller

import (
	"math"
	"slices"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// downscaleWindow is how long the highest recommendation holds, where the autoscaler does not say.
const downscaleWindow = 5 * time.Minute

// recommendation is how many replicas the metrics wanted at a time.
type recommendation struct {
	replicas int32
	at       time.Time
}

// scaling is by how many replicas there were more or fewer at a time.
type scaling struct {
	by int32
	at time.Time
}

// scalingHistory is what an autoscaler's windows and rates look back on. It is never changed, only replaced.
type scalingHistory struct {
	recommendations []recommendation
	ups, downs      []scaling
}

// normalize bounds what the metrics want: by what they wanted before, by the rates, and by the autoscaler's bounds.
func (p *autoscalerPlan) normalize(v autoscalerView, wanted, least int32) int32 {
	current, most := v.scale.Spec.Replicas, v.autoscaler.Spec.MaxReplicas
	behavior := v.autoscaler.Spec.Behavior
	stable, reason, message := p.stabilize(behavior, current, wanted, v.now)
	if stable == wanted {
		reason, message = "ReadyForNewScale", "recommended size matches current size"
	}
	p.condition(autoscalingv2.AbleToScale, corev1.ConditionTrue, reason, message, v.now)
	var replicas int32
	if behavior == nil {
		replicas, reason, message = withinRules(current, stable, least, most)
	} else {
		replicas, reason, message = p.withinRates(behavior, current, stable, least, most, v.now)
	}
	limited := corev1.ConditionFalse
	if replicas != stable {
		limited = corev1.ConditionTrue
	}
	p.condition(autoscalingv2.ScalingLimited, limited, reason, message, v.now)
	return replicas
}

const (
	lowest  = "recent recommendations were lower than current one, applying the lowest recent recommendation"
	highest = "recent recommendations were higher than current one, applying the highest recent recommendation"
)

// stabilize takes the least that was wanted in the window of scaling up, and the most in that of scaling down, and
// notes what is wanted now.
func (p *autoscalerPlan) stabilize(behavior *autoscalingv2.HorizontalPodAutoscalerBehavior, current, wanted int32, now time.Time) (int32, string, string) {
	up, down := time.Duration(0), downscaleWindow
	if behavior != nil {
		up, down = window(behavior.ScaleUp, up), window(behavior.ScaleDown, down)
	}
	upTo, downTo := wanted, wanted
	for _, r := range p.history.recommendations {
		if r.at.After(now.Add(-up)) {
			upTo = min(upTo, r.replicas)
		}
		if r.at.After(now.Add(-down)) || behavior == nil && r.at.Equal(now.Add(-down)) {
			downTo = max(downTo, r.replicas)
		}
	}
	oldest := now.Add(-max(up, down))
	kept := slices.DeleteFunc(slices.Clone(p.history.recommendations), func(r recommendation) bool { return r.at.Before(oldest) })
	p.history.recommendations = append(kept, recommendation{wanted, now})
	switch {
	case behavior == nil:
		return downTo, "ScaleDownStabilized", highest
	case wanted >= current:
		return min(max(current, upTo), downTo), "ScaleUpStabilized", lowest
	}
	return min(max(current, upTo), downTo), "ScaleDownStabilized", highest
}

func window(r *autoscalingv2.HPAScalingRules, otherwise time.Duration) time.Duration {
	if r == nil || r.StabilizationWindowSeconds == nil {
		return otherwise
	}
	return time.Duration(*r.StabilizationWindowSeconds) * time.Second
}

const (
	tooFast  = "the desired replica count is increasing faster than the maximum scale rate"
	tooFastD = "the desired replica count is decreasing faster than the maximum scale rate"
	tooMany  = "the desired replica count is more than the maximum replica count"
	tooFew   = "the desired replica count is less than the minimum replica count"
	inRange  = "the desired count is within the acceptable range"
)

// withinRules bounds the replicas of an autoscaler that says nothing of its behavior: at most twice as many at once, or 4.
func withinRules(current, wanted, least, most int32) (int32, string, string) {
	allowed, reason, message := most, "TooManyReplicas", tooMany
	if limit := ceil(max(2*float64(current), 4)); most > limit {
		allowed, reason, message = limit, "ScaleUpLimit", tooFast
	}
	switch {
	case wanted < least:
		return least, "TooFewReplicas", tooFew
	case wanted > allowed:
		return allowed, reason, message
	}
	return wanted, "DesiredWithinRange", inRange
}

// withinRates bounds them by the policies of the behavior, and by what has been scaled in their periods.
func (p *autoscalerPlan) withinRates(b *autoscalingv2.HorizontalPodAutoscalerBehavior, current, wanted, least, most int32, now time.Time) (int32, string, string) {
	switch {
	case wanted > current:
		limit := max(p.history.limit(b.ScaleUp, current, now, +1), current)
		allowed, reason, message := most, "TooManyReplicas", tooMany
		if most > limit {
			allowed, reason, message = limit, "ScaleUpLimit", tooFast
		}
		if wanted > allowed {
			return allowed, reason, message
		}
	case wanted < current:
		limit := min(p.history.limit(b.ScaleDown, current, now, -1), current)
		allowed, reason, message := least, "TooFewReplicas", tooFew
		if least < limit {
			allowed, reason, message = limit, "ScaleDownLimit", tooFastD
		}
		if wanted < allowed {
			return allowed, reason, message
		}
	}
	return wanted, "DesiredWithinRange", inRange
}

// limit is how far the policies let the replicas go, up (+1) or down (-1), from where they were when each period began.
func (h scalingHistory) limit(r *autoscalingv2.HPAScalingRules, current int32, now time.Time, direction int32) int32 {
	selected := autoscalingv2.MaxChangePolicySelect
	if r != nil {
		selected = ptr.Deref(r.SelectPolicy, selected)
	}
	if r == nil || len(r.Policies) == 0 || selected == autoscalingv2.DisabledPolicySelect {
		return current
	}
	var limits []int32
	for _, policy := range r.Policies {
		since := now.Add(-time.Duration(policy.PeriodSeconds) * time.Second)
		start := float64(current) - float64(scaledSince(h.ups, since)) + float64(scaledSince(h.downs, since))
		limit := start + float64(direction)*float64(policy.Value)
		if policy.Type == autoscalingv2.PercentScalingPolicy {
			limit = start * (1 + float64(direction)*float64(policy.Value)/100)
		}
		if direction > 0 {
			limit = math.Ceil(limit) // a share of little must not be nothing
		}
		limits = append(limits, int32(max(min(limit, math.MaxInt32), math.MinInt32)))
	}
	if farthest := selected != autoscalingv2.MinChangePolicySelect; farthest == (direction > 0) {
		return slices.Max(limits)
	}
	return slices.Min(limits)
}

func scaledSince(all []scaling, since time.Time) int64 {
	var sum int64
	for _, s := range all {
		if s.at.After(since) {
			sum += int64(s.by)
		}
	}
	return sum
}

// scaled is the history after the replicas have changed; without a behavior nobody looks back on that.
func (h scalingHistory) scaled(b *autoscalingv2.HorizontalPodAutoscalerBehavior, before, after int32, now time.Time) scalingHistory {
	switch {
	case b == nil:
	case after > before:
		h.ups = note(h.ups, scaling{after - before, now}, b.ScaleUp, b.ScaleDown)
	case after < before:
		h.downs = note(h.downs, scaling{before - after, now}, b.ScaleUp, b.ScaleDown)
	}
	return h
}

// note adds a scaling to those that some policy still looks back on.
func note(all []scaling, s scaling, rules ...*autoscalingv2.HPAScalingRules) []scaling {
	var longest int32
	for _, r := range rules {
		if r == nil {
			continue
		}
		for _, policy := range r.Policies {
			longest = max(longest, policy.PeriodSeconds)
		}
	}
	since := s.at.Add(-time.Duration(longest) * time.Second)
	kept := slices.DeleteFunc(slices.Clone(all), func(old scaling) bool { return old.at.Before(since) })
	return append(kept, s)
}
