package controller

import (
	"context"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

// jobOrphans lets go of pods that nobody will count any more: their Job is gone, has finished, or is not theirs.
type jobOrphans struct {
	jobs resource.Typed[*batchv1.Job]
	pods resource.Typed[*corev1.Pod]
}

func newJobOrphans(e *environment) component {
	c := &jobOrphans{
		jobs: resource.For[*batchv1.Job](e.api, kind.Job, jobUser),
		pods: resource.For[*corev1.Pod](e.api, kind.Pod, jobUser),
	}
	return &loop[objectKey]{
		name:    "joborphans",
		workers: 4,
		sources: []source[objectKey]{
			{of(e.api, kind.Job), c.ofJob},
			{of(e.api, kind.Pod), c.ofPod},
		},
		reconcile: c.reconcile,
	}
}

// ofJob gives the pods that are left of a Job that is gone or has finished.
func (c *jobOrphans) ofJob(e store.Event, add func(objectKey)) {
	job, ok := decoded[*batchv1.Job](e.Item)
	if !ok || e.Type != watch.Deleted && !jobFinished(&job.Status) {
		return
	}
	for _, p := range c.pods.List(job.Namespace, func(p *corev1.Pod) bool { return hasJobFinalizer(p) && metav1.IsControlledBy(p, job) }) {
		add(objectKey{Namespace: p.Namespace, Name: p.Name})
	}
}

func (c *jobOrphans) ofPod(e store.Event, add func(objectKey)) {
	if p, ok := decoded[*corev1.Pod](e.Item); ok && e.Type != watch.Deleted && hasJobFinalizer(p) {
		itself(e, add)
	}
}

func (c *jobOrphans) reconcile(ctx context.Context, key objectKey) (time.Duration, error) {
	p, ok := c.pods.Get(key.Namespace, key.Name)
	if !ok || !hasJobFinalizer(p) || c.counted(p) {
		return 0, nil
	}
	return 0, releaseJobPod(ctx, c.pods, p)
}

// counted tells whether a pod's Job still counts it. One that another program manages is that program's.
func (c *jobOrphans) counted(p *corev1.Pod) bool {
	owner := metav1.GetControllerOfNoCopy(p)
	if owner == nil || owner.Kind != kind.Job.Kind {
		return false
	}
	job, ok := c.jobs.Get(p.Namespace, owner.Name)
	return ok && job.UID == owner.UID && (managedElsewhere(job) || !jobFinished(&job.Status))
}
