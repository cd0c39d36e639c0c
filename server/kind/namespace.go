package kind

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Namespace is what namespaced objects live in, and die with.
var Namespace = &Kind{
	GroupVersionKind: core("Namespace"),
	Resource:         "namespaces",
	Singular:         "namespace",
	ShortNames:       []string{"ns"},
	New:              makes[corev1.Namespace](),
	NewList:          makes[corev1.NamespaceList](),

	Default:       changes(defaultNamespace),
	PrepareCreate: changes(createNamespace),
	PrepareUpdate: changesOver(updateNamespace),
	PrepareStatus: changesOver(func(updated, old *corev1.Namespace) { updated.Spec = old.Spec }),
	ValidateName:  apivalidation.ValidateNamespaceName,
	HasStatus:     true,
	Subresources: []Subresource{{
		Name: "finalize", Verbs: []string{"update"}, Owns: allBut(statusName),
		Prepare: changesOver(func(updated, old *corev1.Namespace) { updated.Status = old.Status }),
	}},

	Validate:       validates(validateNamespace),
	ValidateStatus: validatesOver(validateNamespaceStatus),

	Fields:      valuesOf(namespaceFields),
	FieldLabels: labelsOf(namespaceFields),
	Columns: []metav1.TableColumnDefinition{
		nameColumn,
		column("Status", "string", "The status of the namespace"),
		ageColumn,
	},
	Row: prints(func(ns *corev1.Namespace) []any {
		return []any{ns.Name, string(ns.Status.Phase), age(ns)}
	}),
}

var namespaceFields = []selectable[*corev1.Namespace]{
	{"status.phase", func(ns *corev1.Namespace) string { return string(ns.Status.Phase) }},
}

// defaultNamespace labels a namespace with its own name, so that selectors can name it.
func defaultNamespace(ns *corev1.Namespace) {
	if ns.Name == "" {
		return
	}
	metav1.SetMetaDataLabel(&ns.ObjectMeta, corev1.LabelMetadataName, ns.Name)
}

// createNamespace makes the namespace active, and keeps it after deletion until it has been emptied.
func createNamespace(ns *corev1.Namespace) {
	ns.Status = corev1.NamespaceStatus{Phase: corev1.NamespaceActive}
	if !slices.Contains(ns.Spec.Finalizers, corev1.FinalizerKubernetes) {
		ns.Spec.Finalizers = append(ns.Spec.Finalizers, corev1.FinalizerKubernetes)
	}
}

// updateNamespace keeps the finalizers, which only the finalize subresource changes, and the status.
func updateNamespace(updated, old *corev1.Namespace) {
	updated.Spec.Finalizers = old.Spec.Finalizers
	updated.Status = old.Status
}
