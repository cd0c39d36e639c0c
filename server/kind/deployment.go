package kind

import (
	"maps"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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

	PrepareCreate: creating(deploymentParts),
	PrepareUpdate: changesOver(updateDeployment),
	PrepareStatus: changesOver(reportDeployment),
	HasStatus:     true,
	Scale: scales(func(d *appsv1.Deployment) (**int32, int32, *metav1.LabelSelector) {
		return &d.Spec.Replicas, d.Status.Replicas, d.Spec.Selector
	}),
}

func deploymentParts(d *appsv1.Deployment) (*appsv1.DeploymentSpec, *appsv1.DeploymentStatus) {
	return &d.Spec, &d.Status
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
