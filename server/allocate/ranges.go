package allocate

import (
	"errors"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Why an address or a port cannot be had.
var (
	ErrOutside = errors.New("the provided network does not match the current range")
	ErrTaken   = errors.New("provided IP is already allocated")
	ErrPort    = errors.New("provided port is already allocated")
)

// shortestIPv6 is the longest range of IPv6, by its prefix, that addresses are given from.
const shortestIPv6 = 64

// Ready tells whether addresses are given from a ServiceCIDR. One that nobody has looked at yet is.
func Ready(c *networkingv1.ServiceCIDR) bool {
	condition := meta.FindStatusCondition(c.Status.Conditions, networkingv1.ServiceCIDRConditionReady)
	return c.DeletionTimestamp == nil && (condition == nil || condition.Status == metav1.ConditionTrue)
}

// Prefixes are a ServiceCIDR's ranges.
func Prefixes(c *networkingv1.ServiceCIDR) []netip.Prefix {
	var prefixes []netip.Prefix
	for _, text := range c.Spec.CIDRs {
		if prefix, err := netip.ParsePrefix(text); err == nil {
			prefixes = append(prefixes, prefix)
		}
	}
	return prefixes
}

// Offers tells whether addresses of a family are given from a range.
func Offers(prefix netip.Prefix, family corev1.IPFamily) bool {
	if prefix.Addr().Is4() {
		return family == corev1.IPv4Protocol
	}
	return family == corev1.IPv6Protocol && prefix.Bits() >= shortestIPv6
}
