package kind

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	netutils "k8s.io/utils/net"
)

// endpointAddress checks an address that traffic is sent to.
func endpointAddress(path *field.Path, ip string) field.ErrorList {
	if errs := validation.IsValidIPForLegacyField(path, ip, true, nil); len(errs) > 0 {
		return errs
	}
	return routableAddress(path, ip)
}

// routableAddress checks that an address means the same wherever it is sent to.
func routableAddress(path *field.Path, text string) field.ErrorList {
	ip := netutils.ParseIPSloppy(text)
	if ip == nil {
		return field.ErrorList{field.Invalid(path, text, "must be a valid IP address")}
	}
	var problems []string
	if ip.IsUnspecified() {
		problems = append(problems, fmt.Sprintf("may not be unspecified (%v)", text))
	}
	if ip.IsLoopback() {
		problems = append(problems, "may not be in the loopback range (127.0.0.0/8, ::1/128)")
	}
	if ip.IsLinkLocalUnicast() {
		problems = append(problems, "may not be in the link-local range (169.254.0.0/16, fe80::/10)")
	}
	if ip.IsLinkLocalMulticast() {
		problems = append(problems, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)")
	}
	return invalid(path, text, problems)
}

// validateBalancerIP checks an address that a load balancer reports, if it does.
func validateBalancerIP(path *field.Path, ip string) field.ErrorList {
	if ip == "" {
		return nil
	}
	return validation.IsValidIPForLegacyField(path, ip, true, nil)
}

// validateBalancerName checks a name that a load balancer reports, if it does.
func validateBalancerName(path *field.Path, name string) field.ErrorList {
	return append(maybeNamed(path, name, validation.IsDNS1123Subdomain), notAddress(path, name)...)
}

func notAddress(path *field.Path, name string) field.ErrorList {
	if name == "" || netutils.ParseIPSloppy(name) == nil {
		return nil
	}
	return field.ErrorList{field.Invalid(path, name, "must be a DNS name, not an IP address")}
}
