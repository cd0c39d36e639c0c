package simulated

import (
	"context"
	"fmt"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"time"
)

// tend registers the node when it is not there, else renews its lease.
func (a *agent) tend(ctx context.Context) error {
	a.mu.Lock()
	node := a.node
	a.mu.Unlock()
	if node == nil {
		return a.register(ctx)
	}
	if err := a.renew(ctx, node); err != nil {
		a.lease = nil
		return fmt.Errorf("renewing the lease of %s: %w", a.name, err)
	}
	return nil
}

func (a *agent) register(ctx context.Context) error {
	nodes := a.fleet.client.CoreV1().Nodes()
	node, err := nodes.Create(ctx, a.fleet.config.object(a.index, time.Now()), metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		node, err = nodes.Get(ctx, a.name, metav1.GetOptions{})
	}
	if err != nil {
		return fmt.Errorf("registering %s: %w", a.name, err)
	}
	a.mu.Lock()
	a.node = node
	a.mu.Unlock()
	return a.renew(ctx, node)
}

// renew updates the lease as last seen, or makes it when there is none.
func (a *agent) renew(ctx context.Context, node *corev1.Node) (err error) {
	leases := a.fleet.client.CoordinationV1().Leases(corev1.NamespaceNodeLease)
	if a.lease == nil {
		a.lease, err = leases.Get(ctx, a.name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			a.lease, err = leases.Create(ctx, a.renewed(&coordinationv1.Lease{}, node), metav1.CreateOptions{})
			return err
		} else if err != nil {
			return err
		}
	}
	a.lease, err = leases.Update(ctx, a.renewed(a.lease, node), metav1.UpdateOptions{})
	return err
}

func (a *agent) renewed(old *coordinationv1.Lease, node *corev1.Node) *coordinationv1.Lease {
	lease := old.DeepCopy()
	lease.Name, lease.Namespace = a.name, corev1.NamespaceNodeLease
	lease.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: a.name, UID: node.UID}}
	lease.Spec.HolderIdentity, lease.Spec.LeaseDurationSeconds = &a.name, new(int32(leaseDuration))
	lease.Spec.RenewTime = new(metav1.NowMicro())
	return lease
}
