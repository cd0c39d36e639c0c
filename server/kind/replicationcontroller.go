package kind

import (
	"fmt"
	"maps"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"
)

// ReplicationController keeps a number of equal pods running, as ReplicaSet does; it is the older of the two.
var ReplicationController = &Kind{
	GroupVersionKind: core("ReplicationController"),
	Resource:         "replicationcontrollers",
	Singular:         "replicationcontroller",
	ShortNames:       []string{"rc"},
	Categories:       []string{"all"},
	Namespaced:       true,
	New:              makes[corev1.ReplicationController](),
	NewList:          makes[corev1.ReplicationControllerList](),

	Default:       changes(defaultReplicationController),
	PrepareCreate: creating(replicationControllerParts),
	PrepareUpdate: updating(replicationControllerParts),
	PrepareStatus: reporting(replicationControllerParts),
	HasStatus:     true,
	Orphans:       true,

	Validate:       validates(validateReplicationController),
	ValidateStatus: validatesOver(validateReplicationControllerStatus),
	Warnings:       warns(replicationControllerWarnings),

	Scale: scales(func(rc *corev1.ReplicationController) (**int32, int32, *metav1.LabelSelector) {
		return &rc.Spec.Replicas, rc.Status.Replicas, &metav1.LabelSelector{MatchLabels: rc.Spec.Selector}
	}),

	Fields:      valuesOf(replicationControllerFields),
	FieldLabels: labelsOf(replicationControllerFields),
	Columns: []metav1.TableColumnDefinition{
		nameColumn,
		column("Desired", "integer", corev1.ReplicationControllerSpec{}.SwaggerDoc()["replicas"]),
		column("Current", "integer", corev1.ReplicationControllerStatus{}.SwaggerDoc()["replicas"]),
		column("Ready", "integer", corev1.ReplicationControllerStatus{}.SwaggerDoc()["readyReplicas"]),
		ageColumn,
		templateColumns[0],
		templateColumns[1],
		wide("Selector", corev1.ReplicationControllerSpec{}.SwaggerDoc()["selector"]),
	},
	Row: prints(func(rc *corev1.ReplicationController) []any {
		template := ptr.Deref(rc.Spec.Template, corev1.PodTemplateSpec{})
		containers := templateCells(&template.Spec, nil)
		return []any{
			rc.Name, int64(ptr.Deref(rc.Spec.Replicas, 0)), int64(rc.Status.Replicas), int64(rc.Status.ReadyReplicas), age(rc),
			containers[0], containers[1], labels.FormatLabels(rc.Spec.Selector),
		}
	}),
}

var replicationControllerFields = []selectable[*corev1.ReplicationController]{
	{"status.replicas", func(rc *corev1.ReplicationController) string { return strconv.Itoa(int(rc.Status.Replicas)) }},
}

func replicationControllerParts(rc *corev1.ReplicationController) (*corev1.ReplicationControllerSpec, *corev1.ReplicationControllerStatus) {
	return &rc.Spec, &rc.Status
}

// defaultReplicationController takes what is not said of labels and selector from the template.
func defaultReplicationController(rc *corev1.ReplicationController) {
	setDefault(&rc.Spec.Replicas, 1)
	if rc.Spec.Template == nil {
		return
	}
	if len(rc.Spec.Selector) == 0 {
		rc.Spec.Selector = maps.Clone(rc.Spec.Template.Labels)
	}
	if len(rc.Labels) == 0 {
		rc.Labels = maps.Clone(rc.Spec.Template.Labels)
	}
	defaultPodSpec(&rc.Spec.Template.Spec)
}

func replicationControllerWarnings(rc *corev1.ReplicationController) []string {
	if rc.Spec.Template == nil {
		return nil
	}
	return append(hostnameWarnings(rc), templateWarnings(rc.Spec.Template)...)
}

// hostnameWarnings tells of the name of a workload that its pods are called after.
func hostnameWarnings(obj metav1.Object) []string {
	wrong := validation.IsDNS1123Label(obj.GetName())
	if obj.GetName() == "" || len(wrong) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: %v", wrong)}
}
