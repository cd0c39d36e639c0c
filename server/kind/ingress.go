package kind

import (
	"fmt"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// Ingress leads HTTP requests from outside of the cluster to services.
var Ingress = &Kind{
	GroupVersionKind: networking("Ingress"),
	Resource:         "ingresses",
	Singular:         "ingress",
	ShortNames:       []string{"ing"},
	Namespaced:       true,
	New:              makes[networkingv1.Ingress](),
	NewList:          makes[networkingv1.IngressList](),

	PrepareCreate: creating(ingressParts),
	PrepareUpdate: updating(ingressParts),
	PrepareStatus: reporting(ingressParts),
	HasStatus:     true,

	Validate:       validates(validateIngress),
	ValidateCreate: validates(validateIngressClassAnnotation),
	ValidateStatus: validatesOver(validateIngressStatus),
	CreateWarnings: warns(ingressWarnings),
	StatusWarnings: warns(func(i *networkingv1.Ingress) []string {
		return balancerWarnings(i.Status.LoadBalancer.Ingress, ingressAddress)
	}),

	Columns: []metav1.TableColumnDefinition{
		nameColumn,
		column("Class", "string", "The name of the IngressClass resource that should be used for additional configuration"),
		column("Hosts", "string", "Hosts that incoming requests are matched against before the ingress rule"),
		column("Address", "string", "Address is a list containing ingress points for the load-balancer"),
		column("Ports", "string", "Ports of TLS configurations that open"),
		ageColumn,
	},
	Row: prints(func(i *networkingv1.Ingress) []any {
		ports := "80"
		if len(i.Spec.TLS) > 0 {
			ports = "80, 443"
		}
		address := strings.Join(balancerAddresses(i.Status.LoadBalancer.Ingress, ingressAddress), ",")
		return []any{i.Name, ptr.Deref(i.Spec.IngressClassName, none), hostsText(i.Spec.Rules), address, ports, age(i)}
	}),
}

// IngressClassAnnotation named an ingress's class before there was a field for it.
const IngressClassAnnotation = "kubernetes.io/ingress.class"

func ingressParts(i *networkingv1.Ingress) (*networkingv1.IngressSpec, *networkingv1.IngressStatus) {
	return &i.Spec, &i.Status
}

func ingressAddress(i networkingv1.IngressLoadBalancerIngress) (ip, hostname string) {
	return i.IP, i.Hostname
}

func ingressWarnings(i *networkingv1.Ingress) []string {
	if _, set := i.Annotations[IngressClassAnnotation]; !set || i.Spec.IngressClassName != nil {
		return nil
	}
	return []string{fmt.Sprintf("annotation %q is deprecated, please use 'spec.ingressClassName' instead", IngressClassAnnotation)}
}

// hostsText is the first few hosts. What is more is counted by rules, of which some may name no host.
func hostsText(rules []networkingv1.IngressRule) string {
	var hosts []string
	more := ""
	for _, rule := range rules {
		if len(hosts) == firstFewShown {
			more = fmt.Sprintf(" + %d more...", len(rules)-firstFewShown)
			break
		}
		if rule.Host != "" {
			hosts = append(hosts, rule.Host)
		}
	}
	return or(strings.Join(hosts, ",")+more, "*")
}
