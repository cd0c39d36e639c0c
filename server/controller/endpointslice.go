package controller

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"leme/server/event"
	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

// endpointSlices lists the pods behind each service that has a selector.
type endpointSlices struct {
	services resource.Typed[*corev1.Service]
	pods     resource.Typed[*corev1.Pod]
	nodes    resource.Typed[*corev1.Node]
	slices   resource.Typed[*discoveryv1.EndpointSlice]
	events   *event.Source
}

func newEndpointSlices(e *environment) component {
	const user = "system:controller:endpointslice-controller"
	c := &endpointSlices{
		services: resource.For[*corev1.Service](e.api, kind.Service, user),
		pods:     resource.For[*corev1.Pod](e.api, kind.Pod, user),
		nodes:    resource.For[*corev1.Node](e.api, kind.Node, user),
		slices:   resource.For[*discoveryv1.EndpointSlice](e.api, kind.EndpointSlice, user),
		events:   e.events.From("endpoint-slice-controller"),
	}
	return &loop[objectKey]{
		name:    "endpointslice",
		workers: 5,
		sources: []source[objectKey]{
			{of(e.api, kind.Service), itself},
			{of(e.api, kind.Pod), servicesOfPod(c.services)},
			{of(e.api, kind.EndpointSlice), serviceOfSlice},
		},
		reconcile: c.reconcile,
	}
}

// servicesOfPod gives the services that select a pod, or did, when something has changed that matters to them.
func servicesOfPod(services resource.Typed[*corev1.Service]) func(store.Event, func(objectKey)) {
	return func(e store.Event, add func(objectKey)) {
		pod, ok := decoded[*corev1.Pod](e.Item)
		if !ok {
			return
		}
		forms := []*corev1.Pod{pod}
		if old, ok := decoded[*corev1.Pod](e.Prev); ok && e.Type == watch.Modified {
			changed, relabelled := endpointChanged(old, pod)
			switch {
			case relabelled:
				forms = append(forms, old)
			case !changed:
				return
			}
		}
		for _, form := range forms {
			for _, s := range services.List(form.Namespace, func(s *corev1.Service) bool { return selectsPod(s, form) }) {
				add(objectKey{Namespace: s.Namespace, Name: s.Name})
			}
		}
	}
}

// serviceOfSlice gives the service of a slice that this controller writes, or wrote until now.
func serviceOfSlice(e store.Event, add func(objectKey)) {
	for _, item := range []*store.Item{e.Prev, e.Item} {
		s, ok := decoded[*discoveryv1.EndpointSlice](item)
		if name := sliceService(s, ok); name != "" {
			add(objectKey{Namespace: s.Namespace, Name: name})
		}
	}
}

func sliceService(s *discoveryv1.EndpointSlice, ok bool) string {
	if !ok || s.Labels[discoveryv1.LabelManagedBy] != kind.EndpointSliceController {
		return ""
	}
	return s.Labels[discoveryv1.LabelServiceName]
}

// reconcile leaves the slices of a service that has gone to the garbage collector, and those of one without selector to
// whoever made them.
func (c *endpointSlices) reconcile(ctx context.Context, key objectKey) (time.Duration, error) {
	s, ok := c.services.Get(key.Namespace, key.Name)
	if !ok || s.Spec.Selector == nil || !kind.NeedsClusterIP(s) {
		return 0, nil
	}
	state := sliceState{
		service: s,
		pods:    c.pods.List(s.Namespace, func(p *corev1.Pod) bool { return selectsPod(s, p) }),
		nodes:   map[string]*corev1.Node{},
		slices: c.slices.List(s.Namespace, func(e *discoveryv1.EndpointSlice) bool {
			return sliceService(e, true) == s.Name && e.DeletionTimestamp == nil
		}),
	}
	for _, p := range state.pods {
		if node, ok := c.nodes.Get("", p.Spec.NodeName); ok {
			state.nodes[p.Spec.NodeName] = node
		}
	}
	plan := planSlices(state)
	switch err := c.apply(ctx, s, plan); {
	case errors.Is(err, errSeenOld):
		return 0, nil
	case err != nil:
		c.events.Warning(s, "FailedToUpdateEndpointSlices", "Error updating Endpoint Slices for Service %s/%s: %v", s.Namespace, s.Name, err)
		return 0, err
	}
	if len(plan.missing) > 0 {
		return 0, fmt.Errorf("leaving out %s: their nodes are not known", strings.Join(plan.missing, ", "))
	}
	return 0, nil
}

// apply makes before it removes: no endpoint is missing in between.
func (c *endpointSlices) apply(ctx context.Context, s *corev1.Service, plan slicePlan) error {
	for _, made := range plan.create {
		if s.DeletionTimestamp != nil {
			break
		}
		if _, err := c.slices.Create(ctx, made); err != nil {
			if apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
				return nil
			}
			return fmt.Errorf("making a slice: %w", err)
		}
	}
	if err := updateSlices(ctx, c.slices, plan.update); err != nil {
		return err
	}
	for _, old := range plan.remove {
		if err := removeSeen(ctx, c.slices, old, metav1.DeleteOptions{}); err != nil {
			return fmt.Errorf("deleting slice %s: %w", old.Name, err)
		}
	}
	return nil
}

// updateSlices writes slices over the state that they were planned from.
func updateSlices(ctx context.Context, slices resource.Typed[*discoveryv1.EndpointSlice], planned []*discoveryv1.EndpointSlice) error {
	for _, updated := range planned {
		_, err := slices.Update(ctx, updated.Namespace, updated.Name, func(is *discoveryv1.EndpointSlice) error {
			if is.ResourceVersion != updated.ResourceVersion {
				return errSeenOld
			}
			is.Labels, is.Annotations, is.Ports, is.Endpoints = updated.Labels, updated.Annotations, updated.Ports, updated.Endpoints
			return nil
		})
		if err != nil {
			return fmt.Errorf("updating slice %s: %w", updated.Name, err)
		}
	}
	return nil
}

// errSeenOld ends a write that was planned for an earlier state; the change that came between brings the key back.
var errSeenOld = errors.New("it has changed since it was looked at")
