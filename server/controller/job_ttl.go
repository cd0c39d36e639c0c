package controller

import (
	"context"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"leme/server/kind"
	"leme/server/resource"
)

// newJobTTL deletes Jobs, and their pods, some time after they have finished, where they say so.
func newJobTTL(e *environment) component {
	jobs := resource.For[*batchv1.Job](e.api, kind.Job, "system:controller:ttl-after-finished-controller")
	return &loop[objectKey]{
		name:    "jobttl",
		workers: 2,
		sources: []source[objectKey]{{of(e.api, kind.Job), itself}},
		reconcile: func(ctx context.Context, key objectKey) (time.Duration, error) {
			job, ok := jobs.Get(key.Namespace, key.Name)
			if !ok {
				return 0, nil
			}
			left, expires := jobTimeLeft(job, e.now())
			if !expires || left > 0 {
				return left, nil
			}
			policy := metav1.DeletePropagationForeground
			if err := removeSeen(ctx, jobs, job, metav1.DeleteOptions{PropagationPolicy: &policy}); err != nil {
				return 0, fmt.Errorf("deleting the finished job %s: %w", key, err)
			}
			return 0, nil
		},
	}
}

// jobTimeLeft is how long a Job stays; expires is false for one that stays until somebody deletes it.
func jobTimeLeft(job *batchv1.Job, now time.Time) (left time.Duration, expires bool) {
	if job.Spec.TTLSecondsAfterFinished == nil || job.DeletionTimestamp != nil {
		return 0, false
	}
	for _, t := range []batchv1.JobConditionType{batchv1.JobComplete, batchv1.JobFailed} {
		if c := findJobCondition(&job.Status, t); c != nil {
			ttl := time.Duration(ptr.Deref(job.Spec.TTLSecondsAfterFinished, 0)) * time.Second
			return max(0, ttl-now.Sub(c.LastTransitionTime.Time)), true
		}
	}
	return 0, false
}
