package nodeagent

import (
	"context"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	leaseDuration = 40 * time.Second // after which the server takes the node for lost
	leaseRenew    = 10 * time.Second
)

// keepLease renews the node's lease, which says that the agent is alive; once the node is registered.
func (a *Agent) keepLease(ctx context.Context) {
	var lease *coordinationv1.Lease
	for {
		object, next := a.node.current()
		wait := leaseRenew
		if object != nil {
			next = nil // only the clock counts from now on
			var err error
			if lease, err = a.renew(ctx, lease, object); err != nil && ctx.Err() == nil {
				a.log.Warn("cannot renew the node's lease", "error", err)
				wait = retryAfter
			}
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-next:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// renew updates the lease as last seen, or looks for it or makes it when there is none. It returns nil with an error,
// so that the next try looks again.
func (a *Agent) renew(ctx context.Context, lease *coordinationv1.Lease, object *corev1.Node) (*coordinationv1.Lease, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	api := a.client.CoordinationV1().Leases(corev1.NamespaceNodeLease)
	if lease == nil {
		found, err := api.Get(ctx, object.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			made, err := api.Create(ctx, a.leaseFor(&coordinationv1.Lease{}, object), metav1.CreateOptions{})
			if err != nil {
				return nil, fmt.Errorf("making the lease: %w", err)
			}
			return made, nil
		} else if err != nil {
			return nil, fmt.Errorf("looking for the lease: %w", err)
		}
		lease = found
	}
	updated, err := api.Update(ctx, a.leaseFor(lease, object), metav1.UpdateOptions{})
	if err != nil {
		return nil, fmt.Errorf("updating the lease: %w", err)
	}
	return updated, nil
}

func (a *Agent) leaseFor(old *coordinationv1.Lease, object *corev1.Node) *coordinationv1.Lease {
	lease := old.DeepCopy()
	lease.Name, lease.Namespace = object.Name, corev1.NamespaceNodeLease
	lease.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: object.Name, UID: object.UID}}
	seconds, now := int32(leaseDuration/time.Second), metav1.NowMicro()
	lease.Spec.HolderIdentity = &object.Name
	lease.Spec.LeaseDurationSeconds = &seconds
	lease.Spec.RenewTime = &now
	return lease
}
