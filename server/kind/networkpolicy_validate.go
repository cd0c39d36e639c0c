package kind

import (
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	netutils "k8s.io/utils/net"
)

var policyPath = field.NewPath("spec")

func validateNetworkPolicy(p *networkingv1.NetworkPolicy) field.ErrorList {
	errs := labelSelector(policyPath.Child("podSelector"), &p.Spec.PodSelector)
	for i, rule := range p.Spec.Ingress {
		errs = append(errs, validateNetworkRule(rule.Ports, rule.From, "from", policyPath.Child("ingress").Index(i))...)
	}
	for i, rule := range p.Spec.Egress {
		errs = append(errs, validateNetworkRule(rule.Ports, rule.To, "to", policyPath.Child("egress").Index(i))...)
	}
	types := policyPath.Child("policyTypes")
	if len(p.Spec.PolicyTypes) > 2 {
		return append(errs, field.Invalid(types, p.Spec.PolicyTypes, "may not specify more than two policyTypes"))
	}
	for i := range p.Spec.PolicyTypes {
		errs = append(errs, maybeOneOf(types.Index(i), &p.Spec.PolicyTypes[i], networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress)...)
	}
	return errs
}

func validateNetworkRule(ports []networkingv1.NetworkPolicyPort, peers []networkingv1.NetworkPolicyPeer, side string, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i := range ports {
		errs = append(errs, validatePolicyPort(&ports[i], path.Child("ports").Index(i))...)
	}
	for i := range peers {
		errs = append(errs, validatePolicyPeer(&peers[i], path.Child(side).Index(i))...)
	}
	return errs
}

func validatePolicyPort(p *networkingv1.NetworkPolicyPort, path *field.Path) field.ErrorList {
	errs := maybeOneOf(path.Child("protocol"), p.Protocol, corev1.ProtocolTCP, corev1.ProtocolUDP, corev1.ProtocolSCTP)
	end := path.Child("endPort")
	switch {
	case p.Port == nil && p.EndPort != nil:
		errs = append(errs, field.Invalid(end, *p.EndPort, "may not be specified when `port` is not specified"))
	case p.Port == nil:
	case p.Port.Type == intstr.String:
		if p.EndPort != nil {
			errs = append(errs, field.Invalid(end, *p.EndPort, "may not be specified when `port` is non-numeric"))
		}
		errs = append(errs, portOrName(*p.Port, path.Child("port"))...)
	default:
		errs = append(errs, portNumber(path.Child("port"), p.Port.IntVal)...)
		if p.EndPort != nil && *p.EndPort < p.Port.IntVal {
			errs = append(errs, field.Invalid(end, *p.EndPort, "must be greater than or equal to `port`"))
		}
		if p.EndPort != nil {
			errs = append(errs, portNumber(end, *p.EndPort)...)
		}
	}
	return errs
}

func validatePolicyPeer(p *networkingv1.NetworkPolicyPeer, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if p.PodSelector != nil {
		errs = append(errs, labelSelector(path.Child("podSelector"), p.PodSelector)...)
	}
	if p.NamespaceSelector != nil {
		errs = append(errs, labelSelector(path.Child("namespaceSelector"), p.NamespaceSelector)...)
	}
	selects := p.PodSelector != nil || p.NamespaceSelector != nil
	if p.IPBlock != nil {
		errs = append(errs, validateIPBlock(p.IPBlock, path.Child("ipBlock"))...)
	}
	switch {
	case p.IPBlock == nil && !selects:
		errs = append(errs, field.Required(path, "must specify a peer"))
	case p.IPBlock != nil && selects:
		errs = append(errs, field.Forbidden(path, "may not specify both ipBlock and another peer"))
	}
	return errs
}

func validateIPBlock(b *networkingv1.IPBlock, path *field.Path) field.ErrorList {
	at := path.Child("cidr")
	if b.CIDR == "" {
		return field.ErrorList{field.Required(at, "")}
	}
	errs := validation.IsValidCIDRForLegacyField(at, b.CIDR, true, nil)
	_, block, err := netutils.ParseCIDRSloppy(b.CIDR)
	if err != nil {
		return errs // as IsValidCIDRForLegacyField said
	}
	for i, text := range b.Except {
		at := path.Child("except").Index(i)
		errs = append(errs, validation.IsValidCIDRForLegacyField(at, text, true, nil)...)
		_, except, err := netutils.ParseCIDRSloppy(text)
		if err != nil {
			continue
		}
		bits, _ := block.Mask.Size()
		exceptBits, _ := except.Mask.Size()
		if !block.Contains(except.IP) || bits >= exceptBits {
			errs = append(errs, field.Invalid(at, text, "must be a strict subset of `cidr`"))
		}
	}
	return errs
}

// networkPolicyWarnings tell of ranges that are written in an unusual way.
func networkPolicyWarnings(p *networkingv1.NetworkPolicy) []string {
	var warnings []string
	for i, rule := range p.Spec.Ingress {
		warnings = append(warnings, peerWarnings(rule.From, policyPath.Child("ingress").Index(i).Child("from"))...)
	}
	for i, rule := range p.Spec.Egress {
		warnings = append(warnings, peerWarnings(rule.To, policyPath.Child("egress").Index(i).Child("to"))...)
	}
	return warnings
}

func peerWarnings(peers []networkingv1.NetworkPolicyPeer, path *field.Path) []string {
	var warnings []string
	for i, peer := range peers {
		if peer.IPBlock == nil {
			continue
		}
		at := path.Index(i).Child("ipBlock")
		warnings = append(warnings, validation.GetWarningsForCIDR(at.Child("cidr"), peer.IPBlock.CIDR)...)
		for j, except := range peer.IPBlock.Except {
			warnings = append(warnings, validation.GetWarningsForCIDR(at.Child("except").Index(j), except)...)
		}
	}
	return warnings
}
