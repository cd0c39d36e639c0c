package kind

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// DaemonSet keeps one pod running on each node.
var DaemonSet = &Kind{
	GroupVersionKind: apps("DaemonSet"),
	Resource:         "daemonsets",
	Singular:         "daemonset",
	ShortNames:       []string{"ds"},
	Categories:       []string{"all"},
	Namespaced:       true,
	New:              makes[appsv1.DaemonSet](),
	NewList:          makes[appsv1.DaemonSetList](),

	Default:       changes(defaultDaemonSet),
	PrepareCreate: changes(createDaemonSet),
	PrepareUpdate: changesOver(updateDaemonSet),
	PrepareStatus: reporting(daemonSetParts),
	HasStatus:     true,

	Validate:       validates(validateDaemonSet),
	ValidateUpdate: validatesOver(validateDaemonSetUpdate),
	ValidateStatus: validatesOver(validateDaemonSetStatus),
	Warnings:       warns(func(ds *appsv1.DaemonSet) []string { return templateWarnings(&ds.Spec.Template) }),

	Columns: append([]metav1.TableColumnDefinition{
		nameColumn,
		column("Desired", "integer", appsv1.DaemonSetStatus{}.SwaggerDoc()["desiredNumberScheduled"]),
		column("Current", "integer", appsv1.DaemonSetStatus{}.SwaggerDoc()["currentNumberScheduled"]),
		column("Ready", "integer", appsv1.DaemonSetStatus{}.SwaggerDoc()["numberReady"]),
		column("Up-to-date", "integer", appsv1.DaemonSetStatus{}.SwaggerDoc()["updatedNumberScheduled"]),
		column("Available", "integer", appsv1.DaemonSetStatus{}.SwaggerDoc()["numberAvailable"]),
		column("Node Selector", "string", corev1.PodSpec{}.SwaggerDoc()["nodeSelector"]),
		ageColumn,
	}, templateColumns[0], templateColumns[1], wide("Selector", appsv1.DaemonSetSpec{}.SwaggerDoc()["selector"])),
	Row: prints(func(ds *appsv1.DaemonSet) []any {
		s := &ds.Status
		cells := []any{
			ds.Name, int64(s.DesiredNumberScheduled), int64(s.CurrentNumberScheduled), int64(s.NumberReady),
			int64(s.UpdatedNumberScheduled), int64(s.NumberAvailable), labels.FormatLabels(ds.Spec.Template.Spec.NodeSelector), age(ds),
		}
		return append(cells, templateCells(&ds.Spec.Template.Spec, ds.Spec.Selector)...)
	}),
}

func daemonSetParts(ds *appsv1.DaemonSet) (*appsv1.DaemonSetSpec, *appsv1.DaemonSetStatus) {
	return &ds.Spec, &ds.Status
}

func defaultDaemonSet(ds *appsv1.DaemonSet) {
	u := &ds.Spec.UpdateStrategy
	setDefaultText(&u.Type, appsv1.RollingUpdateDaemonSetStrategyType)
	if u.Type == appsv1.RollingUpdateDaemonSetStrategyType {
		setDefault(&u.RollingUpdate, appsv1.RollingUpdateDaemonSet{})
		setDefault(&u.RollingUpdate.MaxUnavailable, intstr.FromInt32(1))
		setDefault(&u.RollingUpdate.MaxSurge, intstr.FromInt32(0))
	}
	setDefault(&ds.Spec.RevisionHistoryLimit, 10)
	defaultPodSpec(&ds.Spec.Template.Spec)
}

// createDaemonSet also starts the count of templates, which old clients read from an annotation.
func createDaemonSet(ds *appsv1.DaemonSet) {
	ds.Status = appsv1.DaemonSetStatus{}
	ds.Generation = 1
	setTemplateGeneration(ds, max(1, templateGeneration(ds)))
}

func updateDaemonSet(updated, old *appsv1.DaemonSet) {
	updated.Status = old.Status
	updated.Generation = old.Generation
	generation := templateGeneration(old)
	if !equality.Semantic.DeepEqual(updated.Spec.Template, old.Spec.Template) {
		generation++
	}
	setTemplateGeneration(updated, generation)
	if !equality.Semantic.DeepEqual(updated.Spec, old.Spec) {
		updated.Generation++
	}
}
