package controller

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"

	"leme/server/event"
	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

const autoscalerUser = "system:serviceaccount:kube-system:horizontal-pod-autoscaler"

// autoscalers scale what HorizontalPodAutoscalers name by what its pods use.
type autoscalers struct {
	api     *resource.API
	objects resource.Typed[*autoscalingv2.HorizontalPodAutoscaler]
	pods    resource.Typed[*corev1.Pod]
	events  *event.Source
	now     func() time.Time
	period  time.Duration

	mu        sync.Mutex
	histories map[objectKey]scalingHistory
}

func newAutoscalers(e *environment) component {
	c := &autoscalers{
		api:       e.api,
		objects:   resource.For[*autoscalingv2.HorizontalPodAutoscaler](e.api, kind.HorizontalPodAutoscaler, autoscalerUser),
		pods:      resource.For[*corev1.Pod](e.api, kind.Pod, autoscalerUser),
		events:    e.events.From("horizontal-pod-autoscaler"),
		now:       e.now,
		period:    e.AutoscalePeriod,
		histories: map[objectKey]scalingHistory{},
	}
	return &loop[objectKey]{
		name:      "horizontalpodautoscaler",
		workers:   5,
		sources:   []source[objectKey]{{of(e.api, kind.HorizontalPodAutoscaler), asksAnew}},
		reconcile: c.reconcile,
	}
}

// asksAnew gives an autoscaler that asks for something else now. Its status is nobody's but the controller's, and what
// pods use is looked at by the clock.
func asksAnew(e store.Event, add func(objectKey)) {
	now, ok := decoded[*autoscalingv2.HorizontalPodAutoscaler](e.Item)
	before, had := decoded[*autoscalingv2.HorizontalPodAutoscaler](e.Prev)
	if !ok || !had || now.UID != before.UID || now.Generation != before.Generation {
		itself(e, add)
	}
}

func (c *autoscalers) reconcile(ctx context.Context, key objectKey) (time.Duration, error) {
	a, ok := c.objects.Get(key.Namespace, key.Name)
	if !ok {
		c.remember(key, nil)
		return 0, nil
	}
	view := c.look(ctx, key, a)
	plan := planAutoscaler(view)
	c.remember(key, &plan.history)
	return c.period, c.apply(ctx, key, view, plan)
}

// look gathers what an autoscaler is planned from.
func (c *autoscalers) look(ctx context.Context, key objectKey, a *autoscalingv2.HorizontalPodAutoscaler) autoscalerView {
	v := autoscalerView{autoscaler: a, now: c.now()}
	c.mu.Lock()
	v.history = c.histories[key]
	c.mu.Unlock()
	if v.kind, v.scale, v.scaleErr = c.scaleOf(ctx, a); v.scaleErr != nil {
		return v
	}
	selector, err := labels.Parse(v.scale.Status.Selector)
	if err != nil || v.scale.Status.Selector == "" {
		return v // the plan says so
	}
	v.pods = c.pods.List(a.Namespace, func(p *corev1.Pod) bool { return selector.Matches(labels.Set(p.Labels)) })
	v.rivals = c.rivals(ctx, a, v.pods)
	v.usage, v.usageErr = c.usage(ctx, a.Namespace, v.scale.Status.Selector)
	return v
}

// scaleOf is the scale of what an autoscaler names, of whatever version.
func (c *autoscalers) scaleOf(ctx context.Context, a *autoscalingv2.HorizontalPodAutoscaler) (*kind.Kind, *autoscalingv1.Scale, error) {
	ref := a.Spec.ScaleTargetRef
	gv, err := schema.ParseGroupVersion(ref.APIVersion)
	if err != nil {
		return nil, nil, err
	}
	gk := schema.GroupKind{Group: gv.Group, Kind: ref.Kind}
	kinds := c.api.Kinds().Stored()
	i := slices.IndexFunc(kinds, func(k *kind.Kind) bool { return k.GroupKind() == gk })
	if i < 0 {
		return nil, nil, &meta.NoKindMatchError{GroupKind: gk}
	}
	target := resource.Target{Kind: kinds[i], Namespace: a.Namespace, Name: ref.Name, Subresource: resource.Scale, User: autoscalerUser}
	it, err := c.api.Get(ctx, target, metav1.GetOptions{})
	if err != nil {
		return nil, nil, err
	}
	obj, err := it.Object()
	if err != nil {
		return nil, nil, err
	}
	return kinds[i], obj.(*autoscalingv1.Scale), nil
}

// rivals are autoscalers that the pods belong to as well, one beside the autoscaler itself: that is enough to stop.
func (c *autoscalers) rivals(ctx context.Context, a *autoscalingv2.HorizontalPodAutoscaler, pods []*corev1.Pod) []string {
	for _, other := range c.objects.List(a.Namespace, nil) {
		if other.Name == a.Name || len(pods) == 0 {
			continue
		}
		_, scale, err := c.scaleOf(ctx, other)
		if err != nil || scale.Status.Selector == "" {
			continue
		}
		selector, err := labels.Parse(scale.Status.Selector)
		if err == nil && slices.ContainsFunc(pods, func(p *corev1.Pod) bool { return selector.Matches(labels.Set(p.Labels)) }) {
			return []string{other.Name}
		}
	}
	return nil
}

// usage is what the selected pods use, as metrics.k8s.io tells it.
func (c *autoscalers) usage(ctx context.Context, namespace, selector string) ([]*metricsv1beta1.PodMetrics, error) {
	target := resource.Target{Kind: kind.PodMetrics, Namespace: namespace, User: autoscalerUser}
	list, err := c.api.List(ctx, target, metav1.ListOptions{LabelSelector: selector, ResourceVersion: "0"})
	if err != nil {
		return nil, err
	}
	var all []*metricsv1beta1.PodMetrics
	for _, it := range list.Items {
		if m, ok := decoded[*metricsv1beta1.PodMetrics](it); ok {
			all = append(all, m)
		}
	}
	return all, nil
}

// apply scales, then tells of it. What cannot be scaled is told of too, and tried again when the time comes.
func (c *autoscalers) apply(ctx context.Context, key objectKey, v autoscalerView, plan autoscalerPlan) error {
	if plan.rescale {
		err := c.rescale(ctx, v, plan.replicas)
		plan = plan.done(v, err)
		c.remember(key, &plan.history)
	}
	for _, e := range plan.events {
		if e.eventType == corev1.EventTypeWarning {
			c.events.Warning(v.autoscaler, e.reason, "%s", e.message)
		} else {
			c.events.Normal(v.autoscaler, e.reason, "%s", e.message)
		}
	}
	slog.Debug("autoscaling", "autoscaler", key, "plan", plan.String())
	_, err := c.objects.UpdateStatus(ctx, key.Namespace, key.Name, func(o *autoscalingv2.HorizontalPodAutoscaler) error {
		if o.UID == v.autoscaler.UID {
			o.Status = plan.status
		}
		return nil
	})
	return ignoreGone(err)
}

// rescale writes the replicas over whatever there are by now, but of the same object.
func (c *autoscalers) rescale(ctx context.Context, v autoscalerView, replicas int32) error {
	scale := v.scale.DeepCopy()
	scale.Spec.Replicas, scale.ResourceVersion = replicas, ""
	target := resource.Target{Kind: v.kind, Namespace: scale.Namespace, Name: scale.Name, Subresource: resource.Scale, User: autoscalerUser}
	_, _, err := c.api.Update(ctx, target, scale, metav1.UpdateOptions{})
	return err
}

// remember keeps what has been recommended and done, or forgets it.
func (c *autoscalers) remember(key objectKey, h *scalingHistory) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if h == nil {
		delete(c.histories, key)
		return
	}
	c.histories[key] = *h
}
