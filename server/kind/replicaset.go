package kind

import (
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// ReplicaSet keeps a number of equal pods running.
var ReplicaSet = &Kind{
	GroupVersionKind: apps("ReplicaSet"),
	Resource:         "replicasets",
	Singular:         "replicaset",
	ShortNames:       []string{"rs"},
	Categories:       []string{"all"},
	Namespaced:       true,
	New:              makes[appsv1.ReplicaSet](),
	NewList:          makes[appsv1.ReplicaSetList](),

	Default:       changes(defaultReplicaSet),
	PrepareCreate: creating(replicaSetParts),
	PrepareUpdate: updating(replicaSetParts),
	PrepareStatus: reporting(replicaSetParts),
	HasStatus:     true,

	Validate:       validates(validateReplicaSet),
	ValidateUpdate: validatesOver(validateReplicaSetUpdate),
	ValidateStatus: validatesOver(validateReplicaSetStatus),
	Warnings:       warns(func(rs *appsv1.ReplicaSet) []string { return templateWarnings(&rs.Spec.Template) }),

	Scale: scales(func(rs *appsv1.ReplicaSet) (**int32, int32, *metav1.LabelSelector) {
		return &rs.Spec.Replicas, rs.Status.Replicas, rs.Spec.Selector
	}),

	Fields:      valuesOf(replicaSetFields),
	FieldLabels: labelsOf(replicaSetFields),
	Columns: append([]metav1.TableColumnDefinition{
		nameColumn,
		column("Desired", "integer", appsv1.ReplicaSetSpec{}.SwaggerDoc()["replicas"]),
		column("Current", "integer", appsv1.ReplicaSetStatus{}.SwaggerDoc()["replicas"]),
		column("Ready", "integer", appsv1.ReplicaSetStatus{}.SwaggerDoc()["readyReplicas"]),
		ageColumn,
	}, templateColumns...),
	Row: prints(func(rs *appsv1.ReplicaSet) []any {
		cells := []any{
			rs.Name, int64(ptr.Deref(rs.Spec.Replicas, 0)), int64(rs.Status.Replicas),
			int64(rs.Status.ReadyReplicas), age(rs),
		}
		return append(cells, templateCells(&rs.Spec.Template.Spec, rs.Spec.Selector)...)
	}),
}

var replicaSetFields = []selectable[*appsv1.ReplicaSet]{
	{"status.replicas", func(rs *appsv1.ReplicaSet) string { return strconv.Itoa(int(rs.Status.Replicas)) }},
}

func replicaSetParts(rs *appsv1.ReplicaSet) (*appsv1.ReplicaSetSpec, *appsv1.ReplicaSetStatus) {
	return &rs.Spec, &rs.Status
}

func defaultReplicaSet(rs *appsv1.ReplicaSet) {
	setDefault(&rs.Spec.Replicas, 1)
	defaultPodSpec(&rs.Spec.Template.Spec)
}
