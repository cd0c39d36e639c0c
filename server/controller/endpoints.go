package controller

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"leme/server/event"
	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

// endpoints lists the pods behind services in the form that came before EndpointSlices.
type endpoints struct {
	services  resource.Typed[*corev1.Service]
	pods      resource.Typed[*corev1.Pod]
	endpoints resource.Typed[*endpointsObject]
	events    *event.Source
}

func newEndpoints(e *environment) component {
	const user = "system:controller:endpoint-controller"
	c := &endpoints{
		services:  resource.For[*corev1.Service](e.api, kind.Service, user),
		pods:      resource.For[*corev1.Pod](e.api, kind.Pod, user),
		endpoints: resource.For[*endpointsObject](e.api, kind.Endpoints, user),
		events:    e.events.From("endpoint-controller"),
	}
	return &loop[objectKey]{
		name:    "endpoints",
		workers: 5,
		sources: []source[objectKey]{
			{of(e.api, kind.Service), itself},
			{of(e.api, kind.Pod), servicesOfPod(c.services)},
			{of(e.api, kind.Endpoints), lostEndpoints},
		},
		reconcile: c.reconcile,
	}
}

// lostEndpoints gives the service of Endpoints that are deleted, and of those that its end may have left behind. What
// users write into them is left alone.
func lostEndpoints(e store.Event, add func(objectKey)) {
	list, ok := decoded[*endpointsObject](e.Item)
	if e.Type == watch.Deleted || e.Type == watch.Added && ok && managedEndpoints(list) {
		itself(e, add)
	}
}

func managedEndpoints(e *endpointsObject) bool {
	return e.Labels[kind.EndpointsManagedBy] == kind.EndpointsController
}

func (c *endpoints) reconcile(ctx context.Context, key objectKey) (time.Duration, error) {
	old, listed := c.endpoints.Get(key.Namespace, key.Name)
	s, ok := c.services.Get(key.Namespace, key.Name)
	switch {
	case !ok && listed:
		return 0, removeSeen(ctx, c.endpoints, old, metav1.DeleteOptions{})
	case !ok || s.Spec.Selector == nil || !kind.NeedsClusterIP(s):
		return 0, nil
	case !listed:
		old = nil
	}
	pods := c.pods.List(s.Namespace, func(p *corev1.Pod) bool { return selectsPod(s, p) })
	want := planEndpoints(s, pods, old)
	if want == nil {
		return 0, nil
	}
	if err := c.apply(ctx, want, listed); err != nil {
		c.events.Warning(s, "FailedToUpdateEndpoint", "Failed to update endpoint %s/%s: %v", s.Namespace, s.Name, err)
		return 0, err
	}
	return 0, nil
}

func (c *endpoints) apply(ctx context.Context, want *endpointsObject, listed bool) error {
	if !listed {
		_, err := c.endpoints.Create(ctx, want)
		return ignoreRace(err)
	}
	_, err := c.endpoints.Update(ctx, want.Namespace, want.Name, func(is *endpointsObject) error {
		is.Subsets, is.Labels, is.Annotations = want.Subsets, want.Labels, want.Annotations
		return nil
	})
	if err = ignoreGone(err); err != nil {
		return fmt.Errorf("listing the endpoints: %w", err)
	}
	return nil
}
