package resource

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"leme/server/allocate"
	"leme/server/kind"
	"leme/server/store"
)

// What only one service can have, an address or a node port, is a key of its own in the store: the service's. It is
// made and removed in the transaction that writes the service. So nothing is given twice, whichever servers write at
// the same time, and nothing is claimed by what was not made.

// claims are the writes that go with one of a service: it claims what it has and had not, and gives up what it had and
// has no longer. obj is nil when the service goes, old when it comes.
func (a *API) claims(obj, old runtime.Object) ([]store.Op, error) {
	is, was := serviceOf(obj), serviceOf(old)
	if is == nil && was == nil {
		return nil, nil
	}
	var ops []store.Op
	for _, ip := range missing(claimed(is, allocate.ClaimedAddresses), claimed(was, allocate.ClaimedAddresses)) {
		op, err := a.claimAddress(ip, is)
		if err != nil {
			return nil, err
		}
		ops = append(ops, op)
	}
	for _, port := range missing(claimed(is, allocate.ClaimedPorts), claimed(was, allocate.ClaimedPorts)) {
		op, err := claimPort(port, is)
		if err != nil {
			return nil, err
		}
		ops = append(ops, op)
	}
	return append(ops, a.releases(is, was)...), nil
}

// releases are the removals of what a service had and has no longer.
func (a *API) releases(is, was *corev1.Service) []store.Op {
	var ops []store.Op
	addresses, ports := a.store.Snapshot(kind.IPAddress.GroupResource()), a.store.Snapshot(nodePorts)
	for _, ip := range missing(claimed(was, allocate.ClaimedAddresses), claimed(is, allocate.ClaimedAddresses)) {
		it := addresses.Get("", ip)
		if it == nil {
			continue
		}
		address, err := typed[*networkingv1.IPAddress](it, nil)
		if err == nil && allocate.BelongsTo(address, was) && len(address.Finalizers) == 0 {
			ops = append(ops, store.Op{Key: it.Key, Expect: it.Revision})
		}
	}
	for _, port := range missing(claimed(was, allocate.ClaimedPorts), claimed(is, allocate.ClaimedPorts)) {
		if it := ports.Get("", nodePortKey(port).Name); it != nil && portClaimant(it) == was.UID {
			ops = append(ops, store.Op{Key: it.Key, Expect: it.Revision})
		}
	}
	return ops
}

// claimed is what a service has to itself; one that is not there has nothing.
func claimed[T any](s *corev1.Service, of func(*corev1.Service) []T) []T {
	if s == nil {
		return nil
	}
	return of(s)
}

// missing are the values of a list that are not in another one.
func missing[T comparable](list, other []T) []T {
	return slices.DeleteFunc(list, func(value T) bool { return slices.Contains(other, value) })
}

// claimAddress makes the IPAddress that says whose an address is.
func (a *API) claimAddress(ip string, s *corev1.Service) (store.Op, error) {
	t := Target{Kind: kind.IPAddress, Name: ip, User: "system:service-ip-allocator"}
	address := allocate.IPAddress(ip, s)
	startMeta(address)
	complete(t.Kind, address)
	a.owner.track(t, formOf(t).empty(), address, managerOf(t, ""))
	stored, err := encode(t, address)
	return store.Op{Key: t.key(), Value: stored}, err
}
