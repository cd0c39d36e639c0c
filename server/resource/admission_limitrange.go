package resource

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"

	"leme/server/kind"
	"leme/server/limit"
	"leme/server/store"
)

// limitDefaults gives the containers of a new pod what the namespace's limit ranges say of those that say nothing.
func limitDefaults(_ context.Context, a *API, w admission) error {
	pod := podOf(w.object)
	if pod == nil || w.old != nil {
		return nil
	}
	for _, lr := range a.limitRanges(w.Namespace) {
		limit.Default(lr, pod)
	}
	return nil
}

// limitBounds refuses a new or resized pod that asks for less or more than the namespace's limit ranges allow.
func limitBounds(_ context.Context, a *API, w admission) error {
	pod := podOf(w.object)
	if pod == nil || w.old != nil && w.Subresource == "" {
		return nil
	}
	for _, lr := range a.limitRanges(w.Namespace) {
		if err := utilerrors.NewAggregate(limit.Check(lr, pod)); err != nil {
			return apierrors.NewForbidden(w.resource(), pod.Name, err)
		}
	}
	return nil
}

// claimBounds refuses a claim for storage that asks for less or more than the namespace's limit ranges allow.
func claimBounds(_ context.Context, a *API, w admission) error {
	claim := claimOf(w)
	if claim == nil {
		return nil
	}
	for _, lr := range a.limitRanges(w.Namespace) {
		if err := utilerrors.NewAggregate(limit.CheckClaim(lr, claim)); err != nil {
			return apierrors.NewForbidden(w.resource(), claim.Name, err)
		}
	}
	return nil
}

// limitRanges are those of a namespace. Most have none.
func (a *API) limitRanges(namespace string) (list []*corev1.LimitRange) {
	a.store.Snapshot(kind.LimitRange.GroupResource()).Ascend(namespace, "", "", func(it *store.Item) bool {
		if lr, err := typed[*corev1.LimitRange](it, nil); err == nil {
			list = append(list, lr)
		}
		return true
	})
	return list
}
