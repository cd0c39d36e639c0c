package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/leaderelection/resourcelock"

	"leme/server/event"
	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

// endpointMirrors keeps slices of the Endpoints that somebody lists by hand for a service without selector: whoever
// passes traffic on reads slices alone.
type endpointMirrors struct {
	endpoints resource.Typed[*endpointsObject]
	services  resource.Typed[*corev1.Service]
	slices    resource.Typed[*discoveryv1.EndpointSlice]
	events    *event.Source
}

func newEndpointMirrors(e *environment) component {
	const user = "system:controller:endpointslicemirroring-controller"
	c := &endpointMirrors{
		endpoints: resource.For[*endpointsObject](e.api, kind.Endpoints, user),
		services:  resource.For[*corev1.Service](e.api, kind.Service, user),
		slices:    resource.For[*discoveryv1.EndpointSlice](e.api, kind.EndpointSlice, user),
		events:    e.events.From("endpoint-slice-mirroring-controller"),
	}
	return &loop[objectKey]{
		name:    "endpointmirror",
		workers: 5,
		sources: []source[objectKey]{
			{of(e.api, kind.Endpoints), itself},
			{of(e.api, kind.Service), itself},
			{of(e.api, kind.EndpointSlice), endpointsOfMirror},
		},
		reconcile: c.reconcile,
	}
}

// endpointsOfMirror gives the Endpoints of a slice that this controller writes, or wrote until now.
func endpointsOfMirror(e store.Event, add func(objectKey)) {
	for _, item := range []*store.Item{e.Prev, e.Item} {
		if s, ok := decoded[*discoveryv1.EndpointSlice](item); ok && mirrors(s) != "" {
			add(objectKey{Namespace: s.Namespace, Name: mirrors(s)})
		}
	}
}

// mirrors is whose mirror a slice is, "" for one that is none.
func mirrors(s *discoveryv1.EndpointSlice) string {
	if s.Labels[discoveryv1.LabelManagedBy] != mirrorController {
		return ""
	}
	return s.Labels[discoveryv1.LabelServiceName]
}

func (c *endpointMirrors) reconcile(ctx context.Context, key objectKey) (time.Duration, error) {
	old := c.slices.List(key.Namespace, func(s *discoveryv1.EndpointSlice) bool {
		return mirrors(s) == key.Name && s.DeletionTimestamp == nil
	})
	var plan slicePlan
	endpoints, ok := c.endpoints.Get(key.Namespace, key.Name)
	if ok && c.wanted(endpoints) {
		var told []plannedEvent
		if plan, told = planMirror(endpoints, old); !plan.empty() {
			for _, e := range told {
				c.events.Warning(endpoints, e.reason, "%s", e.message)
			}
		}
	} else {
		plan.remove = old
	}
	switch err := c.apply(ctx, plan); {
	case errors.Is(err, errSeenOld), apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return 0, nil
	default:
		return 0, err
	}
}

// wanted tells whether Endpoints are listed by hand, for a service that is there, and may be mirrored.
func (c *endpointMirrors) wanted(e *endpointsObject) bool {
	_, lock := e.Annotations[resourcelock.LeaderElectionRecordAnnotationKey]
	if lock || e.DeletionTimestamp != nil || e.Labels[discoveryv1.LabelSkipMirror] == "true" {
		return false
	}
	s, ok := c.services.Get(e.Namespace, e.Name)
	return ok && s.Spec.Selector == nil
}

func (c *endpointMirrors) apply(ctx context.Context, plan slicePlan) error {
	for _, made := range plan.create {
		if _, err := c.slices.Create(ctx, made); err != nil {
			return fmt.Errorf("making a mirror: %w", err)
		}
	}
	if err := updateSlices(ctx, c.slices, plan.update); err != nil {
		return err
	}
	for _, old := range plan.remove {
		if err := removeSeen(ctx, c.slices, old, metav1.DeleteOptions{}); err != nil {
			return fmt.Errorf("deleting mirror %s: %w", old.Name, err)
		}
	}
	return nil
}
