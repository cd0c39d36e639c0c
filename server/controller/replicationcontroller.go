package controller

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/kind"
	"leme/server/resource"
)

// newReplicationControllers runs each ReplicationController as the ReplicaSet that it could be.
func newReplicationControllers(e *environment) component {
	const user = "system:controller:replication-controller"
	sets := asReplicaSets{resource.For[*corev1.ReplicationController](e.api, kind.ReplicationController, user)}
	return replicaSetsOf(e, kind.ReplicationController, user, "replication-controller", sets)
}

// asReplicaSets shows ReplicationControllers as ReplicaSets that say they are none.
type asReplicaSets struct {
	controllers resource.Typed[*corev1.ReplicationController]
}

func (a asReplicaSets) Get(namespace, name string) (*appsv1.ReplicaSet, bool) {
	rc, ok := a.controllers.Get(namespace, name)
	if !ok {
		return nil, false
	}
	return asReplicaSet(rc), true
}

func (a asReplicaSets) List(namespace string, selector func(*appsv1.ReplicaSet) bool) (sets []*appsv1.ReplicaSet) {
	for _, rc := range a.controllers.List(namespace, nil) {
		if rs := asReplicaSet(rc); selector == nil || selector(rs) {
			sets = append(sets, rs)
		}
	}
	return sets
}

func (a asReplicaSets) UpdateStatus(ctx context.Context, namespace, name string, mutate func(*appsv1.ReplicaSet) error) (*appsv1.ReplicaSet, error) {
	rc, err := a.controllers.UpdateStatus(ctx, namespace, name, func(rc *corev1.ReplicationController) error {
		rs := asReplicaSet(rc)
		if err := mutate(rs); err != nil {
			return err
		}
		rc.Status = fromReplicaSetStatus(rs.Status)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return asReplicaSet(rc), nil
}

func asReplicaSet(rc *corev1.ReplicationController) *appsv1.ReplicaSet {
	rs := &appsv1.ReplicaSet{
		ObjectMeta: rc.ObjectMeta,
		Spec: appsv1.ReplicaSetSpec{
			Replicas:        rc.Spec.Replicas,
			MinReadySeconds: rc.Spec.MinReadySeconds,
			Selector:        &metav1.LabelSelector{MatchLabels: rc.Spec.Selector},
		},
		Status: appsv1.ReplicaSetStatus{
			Replicas:             rc.Status.Replicas,
			FullyLabeledReplicas: rc.Status.FullyLabeledReplicas,
			ReadyReplicas:        rc.Status.ReadyReplicas,
			AvailableReplicas:    rc.Status.AvailableReplicas,
			ObservedGeneration:   rc.Status.ObservedGeneration,
		},
	}
	rs.SetGroupVersionKind(kind.ReplicationController.GroupVersionKind)
	if rc.Spec.Template != nil {
		rs.Spec.Template = *rc.Spec.Template
	}
	for _, c := range rc.Status.Conditions {
		rs.Status.Conditions = append(rs.Status.Conditions, appsv1.ReplicaSetCondition{
			Type: appsv1.ReplicaSetConditionType(c.Type), Status: c.Status, LastTransitionTime: c.LastTransitionTime, Reason: c.Reason, Message: c.Message,
		})
	}
	return rs
}

// fromReplicaSetStatus leaves out what ReplicationControllers do not tell: how many pods are on their way out.
func fromReplicaSetStatus(s appsv1.ReplicaSetStatus) corev1.ReplicationControllerStatus {
	status := corev1.ReplicationControllerStatus{
		Replicas:             s.Replicas,
		FullyLabeledReplicas: s.FullyLabeledReplicas,
		ReadyReplicas:        s.ReadyReplicas,
		AvailableReplicas:    s.AvailableReplicas,
		ObservedGeneration:   s.ObservedGeneration,
	}
	for _, c := range s.Conditions {
		status.Conditions = append(status.Conditions, corev1.ReplicationControllerCondition{
			Type: corev1.ReplicationControllerConditionType(c.Type), Status: c.Status, LastTransitionTime: c.LastTransitionTime, Reason: c.Reason, Message: c.Message,
		})
	}
	return status
}
