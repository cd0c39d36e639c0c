package controller

import (
	"fmt"
	"math"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// The reasons of a Deployment's conditions, as kubectl's rollout status reads them.
const (
	reasonCreated     = "NewReplicaSetCreated"
	reasonNotCreated  = "ReplicaSetCreateError"
	reasonFound       = "FoundNewReplicaSet"
	reasonUpdated     = "ReplicaSetUpdated"
	reasonAvailable   = "NewReplicaSetAvailable"
	reasonTimedOut    = "ProgressDeadlineExceeded"
	reasonPaused      = "DeploymentPaused"
	reasonResumed     = "DeploymentResumed"
	reasonMinimum     = "MinimumReplicasAvailable"
	reasonLessThanMin = "MinimumReplicasUnavailable"
)

// deploymentStatus counts what the ReplicaSets report and tells how the rollout goes. created is the
// ReplicaSet that is being made in this step. again is when the progress deadline passes.
func deploymentStatus(d *appsv1.Deployment, fresh *appsv1.ReplicaSet, old []*appsv1.ReplicaSet, created *appsv1.ReplicaSet, now time.Time) (status appsv1.DeploymentStatus, again time.Duration) {
	status = countReplicas(d, fresh, old)
	c := &conditions{list: slices.Clone(d.Status.Conditions), now: now}
	c.available(status.AvailableReplicas >= wanted(d)-unavailable(d))
	c.replicaFailure(fresh, old)
	if !hasDeadline(d) {
		c.remove(appsv1.DeploymentProgressing)
	} else if d.DeletionTimestamp == nil {
		again = c.progressing(d, &status, fresh, created)
	}
	status.Conditions = c.list
	return status, again
}

// notCreated is the Deployment's conditions after its new ReplicaSet could not be made.
func notCreated(d *appsv1.Deployment, why string, now time.Time) []appsv1.DeploymentCondition {
	c := &conditions{list: slices.Clone(d.Status.Conditions), now: now}
	c.set(appsv1.DeploymentProgressing, corev1.ConditionFalse, reasonNotCreated, why)
	return c.list
}

func countReplicas(d *appsv1.Deployment, fresh *appsv1.ReplicaSet, old []*appsv1.ReplicaSet) appsv1.DeploymentStatus {
	all := withFresh(fresh, old)
	spec, available := total(all)
	status := appsv1.DeploymentStatus{
		ObservedGeneration:  d.Generation,
		AvailableReplicas:   available,
		UnavailableReplicas: max(0, spec-available),
		TerminatingReplicas: ptr.To[int32](0),
		CollisionCount:      d.Status.CollisionCount,
	}
	for _, rs := range all {
		status.Replicas += rs.Status.Replicas
		status.ReadyReplicas += rs.Status.ReadyReplicas
		*status.TerminatingReplicas += ptr.Deref(rs.Status.TerminatingReplicas, 0)
	}
	if fresh != nil {
		status.UpdatedReplicas = fresh.Status.Replicas
	}
	return status
}

// complete tells that all that is asked for is there, available, and of the new template.
func complete(d *appsv1.Deployment, s *appsv1.DeploymentStatus) bool {
	return s.UpdatedReplicas == wanted(d) && s.Replicas == wanted(d) && s.AvailableReplicas == wanted(d) &&
		s.ObservedGeneration >= d.Generation
}

// advanced tells that a status is closer to completion than the one before.
func advanced(before, after *appsv1.DeploymentStatus) bool {
	return after.UpdatedReplicas > before.UpdatedReplicas ||
		after.Replicas-after.UpdatedReplicas < before.Replicas-before.UpdatedReplicas ||
		after.ReadyReplicas > before.ReadyReplicas || after.AvailableReplicas > before.AvailableReplicas
}

func hasDeadline(d *appsv1.Deployment) bool {
	s := d.Spec.ProgressDeadlineSeconds
	return s != nil && *s != math.MaxInt32
}

// conditions is a Deployment's list while it is brought up to date.
type conditions struct {
	list []appsv1.DeploymentCondition
	now  time.Time
}

func (c *conditions) get(t appsv1.DeploymentConditionType) *appsv1.DeploymentCondition {
	for i := range c.list {
		if c.list[i].Type == t {
			return &c.list[i]
		}
	}
	return nil
}

func (c *conditions) remove(t appsv1.DeploymentConditionType) {
	c.list = slices.DeleteFunc(c.list, func(o appsv1.DeploymentCondition) bool { return o.Type == t })
}

// set changes a condition unless it says so already; the transition time tells when the status changed.
func (c *conditions) set(t appsv1.DeploymentConditionType, s corev1.ConditionStatus, reason, message string) {
	if old := c.get(t); old != nil && old.Status == s && old.Reason == reason {
		return
	}
	c.renew(t, s, reason, message)
}

// renew sets a condition with the update time of now even if it says so already.
func (c *conditions) renew(t appsv1.DeploymentConditionType, s corev1.ConditionStatus, reason, message string) {
	at := metav1.NewTime(c.now)
	next := appsv1.DeploymentCondition{Type: t, Status: s, Reason: reason, Message: message, LastUpdateTime: at, LastTransitionTime: at}
	if old := c.get(t); old != nil {
		if old.Status == s {
			next.LastTransitionTime = old.LastTransitionTime
		}
		*old = next
		return
	}
	c.list = append(c.list, next)
}

func (c *conditions) available(enough bool) {
	if enough {
		c.set(appsv1.DeploymentAvailable, corev1.ConditionTrue, reasonMinimum, "Deployment has minimum availability.")
		return
	}
	c.set(appsv1.DeploymentAvailable, corev1.ConditionFalse, reasonLessThanMin, "Deployment does not have minimum availability.")
}

// replicaFailure repeats why a ReplicaSet cannot make its pods, the new one's reason before those of the others.
func (c *conditions) replicaFailure(fresh *appsv1.ReplicaSet, old []*appsv1.ReplicaSet) {
	for _, rs := range append(withFresh(fresh, nil), old...) {
		for _, f := range rs.Status.Conditions {
			if f.Type == appsv1.ReplicaSetReplicaFailure && f.Status == corev1.ConditionTrue {
				c.set(appsv1.DeploymentReplicaFailure, f.Status, f.Reason, f.Message)
				return
			}
		}
	}
	c.remove(appsv1.DeploymentReplicaFailure)
}

// progressing tells how the rollout goes, first match wins, and returns when its deadline passes.
func (c *conditions) progressing(d *appsv1.Deployment, status *appsv1.DeploymentStatus, fresh, created *appsv1.ReplicaSet) time.Duration {
	const progressing = appsv1.DeploymentProgressing
	last := c.get(progressing)
	lastReason := ""
	if last != nil {
		lastReason = last.Reason
	}
	subject := fmt.Sprintf("Deployment %q", d.Name)
	if fresh != nil {
		subject = fmt.Sprintf("ReplicaSet %q", fresh.Name)
	}
	switch {
	case d.Spec.Paused:
		if lastReason != reasonTimedOut {
			c.set(progressing, corev1.ConditionUnknown, reasonPaused, "Deployment is paused")
		}
		return 0
	case lastReason == reasonPaused:
		c.set(progressing, corev1.ConditionUnknown, reasonResumed, "Deployment is resumed")
	case created != nil:
		c.renew(progressing, corev1.ConditionTrue, reasonCreated, fmt.Sprintf("Created new replica set %q", created.Name))
	case lastReason == reasonAvailable && status.Replicas == status.UpdatedReplicas: // complete before; only resized since
		return 0
	case complete(d, status):
		c.set(progressing, corev1.ConditionTrue, reasonAvailable, subject+" has successfully progressed.")
		return 0
	case advanced(&d.Status, status):
		c.renew(progressing, corev1.ConditionTrue, reasonUpdated, subject+" is progressing.")
	case last == nil && fresh != nil:
		c.set(progressing, corev1.ConditionTrue, reasonFound, fmt.Sprintf("Found new replica set %q", fresh.Name))
	case c.timedOut(d):
		c.set(progressing, corev1.ConditionFalse, reasonTimedOut, subject+" has timed out progressing.")
		return 0
	}
	return max(time.Second, c.deadline(d).Sub(c.now)+time.Second)
}

// deadline is when the rollout will have made no progress for too long.
func (c *conditions) deadline(d *appsv1.Deployment) time.Time {
	last := c.get(appsv1.DeploymentProgressing)
	if last == nil {
		return c.now
	}
	return last.LastUpdateTime.Add(time.Duration(*d.Spec.ProgressDeadlineSeconds) * time.Second)
}

func (c *conditions) timedOut(d *appsv1.Deployment) bool {
	last := c.get(appsv1.DeploymentProgressing)
	switch {
	case last == nil || last.Reason == reasonAvailable:
		return false
	case last.Reason == reasonTimedOut:
		return true
	}
	return c.deadline(d).Before(c.now)
}
