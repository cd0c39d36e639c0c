package kind

import (
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// NetworkPolicy says who may speak to pods, and whom they may speak to.
var NetworkPolicy = &Kind{
	GroupVersionKind: networking("NetworkPolicy"),
	Resource:         "networkpolicies",
	Singular:         "networkpolicy",
	ShortNames:       []string{"netpol"},
	Namespaced:       true,
	New:              makes[networkingv1.NetworkPolicy](),
	NewList:          makes[networkingv1.NetworkPolicyList](),

	Default:       changes(defaultNetworkPolicy),
	PrepareCreate: starting[*networkingv1.NetworkPolicy](),
	PrepareUpdate: counting(func(p *networkingv1.NetworkPolicy) *networkingv1.NetworkPolicySpec { return &p.Spec }),

	Validate: validates(validateNetworkPolicy),
	Warnings: warns(networkPolicyWarnings),

	Columns: []metav1.TableColumnDefinition{
		nameColumn,
		column("Pod-Selector", "string", networkingv1.NetworkPolicySpec{}.SwaggerDoc()["podSelector"]),
		ageColumn,
	},
	Row: prints(func(p *networkingv1.NetworkPolicy) []any {
		return []any{p.Name, metav1.FormatLabelSelector(&p.Spec.PodSelector), age(p)}
	}),
}

func defaultNetworkPolicy(p *networkingv1.NetworkPolicy) {
	for i := range p.Spec.Ingress {
		defaultPolicyPorts(p.Spec.Ingress[i].Ports)
	}
	for i := range p.Spec.Egress {
		defaultPolicyPorts(p.Spec.Egress[i].Ports)
	}
	if len(p.Spec.PolicyTypes) > 0 {
		return
	}
	p.Spec.PolicyTypes = []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}
	if len(p.Spec.Egress) > 0 {
		p.Spec.PolicyTypes = append(p.Spec.PolicyTypes, networkingv1.PolicyTypeEgress)
	}
}

func defaultPolicyPorts(ports []networkingv1.NetworkPolicyPort) {
	for i := range ports {
		setDefault(&ports[i].Protocol, corev1.ProtocolTCP)
	}
}
