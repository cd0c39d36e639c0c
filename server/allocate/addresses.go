package allocate

import (
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"leme/server/kind"
)

// ErrFull says that nothing is free any more.
var ErrFull = errors.New("range is full")

// AddressPool is the addresses that services can have.
type AddressPool interface {
	// Take checks that an address can be had.
	Take(ip string) error
	// Next is a free address of a family, or ErrFull.
	Next(family corev1.IPFamily) (string, error)
}

// Addresses gives a service whose families are known the addresses that it lacks. old is nil for a new service. A
// *field.Error says what is wrong with the service; any other that there is nothing to give.
func Addresses(updated, old *corev1.Service, pool AddressPool) error {
	spec := &updated.Spec
	if !kind.NeedsClusterIP(updated) || len(spec.ClusterIPs) > 0 && spec.ClusterIPs[0] == corev1.ClusterIPNone {
		return nil
	}
	var had []string
	if old != nil && kind.NeedsClusterIP(old) {
		if kind.Headless(old) {
			return nil // it cannot stop being that, as validation says
		}
		had = old.Spec.ClusterIPs
	}
	spec.ClusterIPs = slices.Clone(spec.ClusterIPs)
	for i, family := range spec.IPFamilies {
		if i < len(had) {
			continue
		}
		ip, err := address(updated, i, family, pool)
		if err != nil {
			return err
		}
		if i == len(spec.ClusterIPs) {
			spec.ClusterIPs = append(spec.ClusterIPs, ip)
		}
	}
	if len(spec.ClusterIPs) > 0 && len(had) == 0 {
		spec.ClusterIP = spec.ClusterIPs[0]
	}
	return nil
}

// address is the one that a service asks for at a place of its list, or any.
func address(s *corev1.Service, i int, family corev1.IPFamily, pool AddressPool) (string, error) {
	path := field.NewPath("spec", "clusterIPs")
	if i < len(s.Spec.ClusterIPs) {
		ip := s.Spec.ClusterIPs[i]
		if err := pool.Take(ip); err != nil {
			return "", field.Invalid(path, s.Spec.ClusterIPs, fmt.Sprintf("failed to allocate IP %v: %v", ip, err))
		}
		return ip, nil
	}
	ip, err := pool.Next(family)
	switch {
	case errors.Is(err, ErrFull):
		return "", fmt.Errorf("failed to allocate a serviceIP for Service %q: %w", s.Name, err)
	case err != nil:
		return "", field.Invalid(path, s.Spec.ClusterIPs, fmt.Sprintf("failed to allocate IP: %v", err))
	}
	return ip, nil
}
