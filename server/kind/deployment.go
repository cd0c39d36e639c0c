package kind

import (
	"fmt"
	"maps"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

// Deployment rolls out changes to a set of equal pods.
var Deployment = &Kind{
	GroupVersionKind: apps("Deployment"),
	Resource:         "deployments",
	Singular:         "deployment",
	ShortNames:       []string{"deploy"},
	Categories:       []string{"all"},
	Namespaced:       true,
	New:              makes[appsv1.Deployment](),
	NewList:          makes[appsv1.DeploymentList](),

	Default:       changes(defaultDeployment),
	PrepareCreate: creating(deploymentParts),
	PrepareUpdate: changesOver(updateDeployment),
	PrepareStatus: changesOver(reportDeployment),
	HasStatus:     true,

	Validate:       validates(validateDeployment),
	ValidateUpdate: validatesOver(validateDeploymentUpdate),
	ValidateStatus: validatesOver(validateDeploymentStatus),
	Warnings:       warns(func(d *appsv1.Deployment) []string { return templateWarnings(&d.Spec.Template) }),

	Scale: scales(func(d *appsv1.Deployment) (**int32, int32, *metav1.LabelSelector) {
		return &d.Spec.Replicas, d.Status.Replicas, d.Spec.Selector
	}),

	Columns: append([]metav1.TableColumnDefinition{
		nameColumn,
		column("Ready", "string", "Number of the pod with ready state"),
		column("Up-to-date", "string", appsv1.DeploymentStatus{}.SwaggerDoc()["updatedReplicas"]),
		column("Available", "string", appsv1.DeploymentStatus{}.SwaggerDoc()["availableReplicas"]),
		ageColumn,
	}, templateColumns...),
	Row: prints(func(d *appsv1.Deployment) []any {
		ready := fmt.Sprintf("%d/%d", d.Status.ReadyReplicas, ptr.Deref(d.Spec.Replicas, 0))
		cells := []any{d.Name, ready, int64(d.Status.UpdatedReplicas), int64(d.Status.AvailableReplicas), age(d)}
		return append(cells, templateCells(&d.Spec.Template.Spec, d.Spec.Selector)...)
	}),
}

func deploymentParts(d *appsv1.Deployment) (*appsv1.DeploymentSpec, *appsv1.DeploymentStatus) {
	return &d.Spec, &d.Status
}

func defaultDeployment(d *appsv1.Deployment) {
	setDefault(&d.Spec.Replicas, 1)
	setDefault(&d.Spec.RevisionHistoryLimit, 10)
	setDefault(&d.Spec.ProgressDeadlineSeconds, 600)
	defaultStrategy(&d.Spec.Strategy)
	defaultPodSpec(&d.Spec.Template.Spec)
}

func defaultStrategy(s *appsv1.DeploymentStrategy) {
	if s.Type == "" {
		s.Type = appsv1.RollingUpdateDeploymentStrategyType
	}
	if s.Type != appsv1.RollingUpdateDeploymentStrategyType {
		return
	}
	if s.RollingUpdate == nil {
		s.RollingUpdate = &appsv1.RollingUpdateDeployment{}
	}
	setDefault(&s.RollingUpdate.MaxUnavailable, intstr.FromString("25%"))
	setDefault(&s.RollingUpdate.MaxSurge, intstr.FromString("25%"))
}

// updateDeployment also counts a change of annotations as a new generation: they are copied to the replica sets.
func updateDeployment(updated, old *appsv1.Deployment) {
	updated.Status = old.Status
	updated.Generation = old.Generation
	if !equality.Semantic.DeepEqual(updated.Spec, old.Spec) || !maps.Equal(updated.Annotations, old.Annotations) {
		updated.Generation++
	}
}

// reportDeployment keeps the spec and the labels.
func reportDeployment(updated, old *appsv1.Deployment) {
	updated.Spec = old.Spec
	updated.Labels = old.Labels
	updated.Generation = old.Generation
}
