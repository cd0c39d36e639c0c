package kind

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// Service gives pods one name and address, which stay while the pods come and go.
var Service = &Kind{
	GroupVersionKind: core("Service"),
	Resource:         "services",
	Singular:         "service",
	ShortNames:       []string{"svc"},
	Categories:       []string{"all"},
	Namespaced:       true,
	New:              makes[corev1.Service](),
	NewList:          makes[corev1.ServiceList](),

	Default:        changes(defaultService),
	PrepareCreate:  changes(func(s *corev1.Service) { s.Status = corev1.ServiceStatus{} }),
	PrepareUpdate:  changesOver(updateService),
	PrepareStatus:  changesOver(func(updated, old *corev1.Service) { updated.Spec = old.Spec }),
	HasStatus:      true,
	CreateOnUpdate: true,

	Subresources: []Subresource{
		proxied(connection[corev1.ServiceProxyOptions]("proxy", proxyVerbs, core("ServiceProxyOptions"))),
	},

	Validate:       validates(validateService),
	ValidateUpdate: validatesOver(validateServiceUpdate),
	ValidateStatus: validatesOver(validateServiceStatus),
	ValidateName:   apivalidation.NameIsDNSLabel,
	Warnings:       warns(serviceWarnings),
	StatusWarnings: warns(serviceStatusWarnings),

	Fields:      valuesOf(serviceFields),
	FieldLabels: labelsOf(serviceFields),
	Columns: []metav1.TableColumnDefinition{
		nameColumn,
		column("Type", "string", corev1.ServiceSpec{}.SwaggerDoc()["type"]),
		column("Cluster-IP", "string", corev1.ServiceSpec{}.SwaggerDoc()["clusterIP"]),
		column("External-IP", "string", corev1.ServiceSpec{}.SwaggerDoc()["externalIPs"]),
		column("Port(s)", "string", corev1.ServiceSpec{}.SwaggerDoc()["ports"]),
		ageColumn,
		wide("Selector", corev1.ServiceSpec{}.SwaggerDoc()["selector"]),
	},
	Row: prints(func(s *corev1.Service) []any {
		clusterIP := strings.Join(s.Spec.ClusterIPs[:min(1, len(s.Spec.ClusterIPs))], "")
		return []any{
			s.Name, string(s.Spec.Type), or(clusterIP, none), serviceExternalIP(s), or(servicePortsText(s.Spec.Ports), none),
			age(s), labels.FormatLabels(s.Spec.Selector),
		}
	}),
}

var serviceFields = []selectable[*corev1.Service]{
	{"spec.clusterIP", func(s *corev1.Service) string { return s.Spec.ClusterIP }},
	{"spec.type", func(s *corev1.Service) string { return string(s.Spec.Type) }},
}
