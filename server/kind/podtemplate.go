package kind

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// PodTemplate keeps a description of pods for those who make pods from it.
var PodTemplate = &Kind{
	GroupVersionKind: core("PodTemplate"),
	Resource:         "podtemplates",
	Singular:         "podtemplate",
	Namespaced:       true,
	New:              makes[corev1.PodTemplate](),
	NewList:          makes[corev1.PodTemplateList](),

	Default:       changes(func(t *corev1.PodTemplate) { defaultPodSpec(&t.Template.Spec) }),
	PrepareCreate: changes(func(t *corev1.PodTemplate) { t.Generation = 1 }),
	PrepareUpdate: changesOver(updatePodTemplate),

	Validate: validates(func(t *corev1.PodTemplate) field.ErrorList {
		return validatePodTemplate(&t.Template, field.NewPath("template"))
	}),
	Warnings: warns(func(t *corev1.PodTemplate) []string {
		return podSpecWarnings(&t.Template.ObjectMeta, &t.Template.Spec, field.NewPath("template"))
	}),

	Columns: []metav1.TableColumnDefinition{
		nameColumn,
		column("Containers", "string", "Names of each container in the template."),
		column("Images", "string", "Images referenced by each container in the template."),
		column("Pod Labels", "string", "The labels for the pod template."),
	},
	Row: prints(func(t *corev1.PodTemplate) []any {
		cells := templateCells(&t.Template.Spec, nil)
		return []any{t.Name, cells[0], cells[1], labels.FormatLabels(t.Template.Labels)}
	}),
}

func updatePodTemplate(updated, old *corev1.PodTemplate) {
	updated.Generation = old.Generation
	if !equality.Semantic.DeepEqual(updated.Template, old.Template) {
		updated.Generation++
	}
}
