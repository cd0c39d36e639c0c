package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"leme/server/event"
	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

// cronJobs makes each CronJob's Jobs when they are due.
type cronJobs struct {
	crons  resource.Typed[*batchv1.CronJob]
	jobs   resource.Typed[*batchv1.Job]
	events *event.Source
	now    func() time.Time
}

func newCronJobs(e *environment) component {
	const user = "system:controller:cronjob-controller"
	c := &cronJobs{
		crons:  resource.For[*batchv1.CronJob](e.api, kind.CronJob, user),
		jobs:   resource.For[*batchv1.Job](e.api, kind.Job, user),
		events: e.events.From("cronjob-controller"),
		now:    e.now,
	}
	return &loop[objectKey]{
		name:    "cronjob",
		workers: 4,
		sources: []source[objectKey]{
			{of(e.api, kind.CronJob), itself},
			{of(e.api, kind.Job), c.ofJob},
		},
		reconcile: c.reconcile,
	}
}

// ofJob gives the CronJob that made a Job.
func (c *cronJobs) ofJob(e store.Event, add func(objectKey)) {
	job, ok := decoded[*batchv1.Job](e.Item)
	if !ok {
		return
	}
	if owner := metav1.GetControllerOfNoCopy(job); owner != nil && owner.Kind == kind.CronJob.Kind {
		add(objectKey{Namespace: job.Namespace, Name: owner.Name})
	}
}

func (c *cronJobs) reconcile(ctx context.Context, key objectKey) (time.Duration, error) {
	cron, ok := c.crons.Get(key.Namespace, key.Name)
	if !ok {
		return 0, nil
	}
	owned := c.jobs.List(cron.Namespace, func(j *batchv1.Job) bool { return metav1.IsControlledBy(j, cron) })
	plan := planCronJob(cron, owned, c.now())
	return plan.again, c.apply(ctx, cron, plan)
}

// apply makes a Job before it writes down that it has: done again, it finds the Job by its name, which tells the time.
// Old Jobs go last, when the status tells what they told.
func (c *cronJobs) apply(ctx context.Context, cron *batchv1.CronJob, plan cronJobPlan) error {
	for _, e := range plan.events {
		if e.eventType == corev1.EventTypeWarning {
			c.events.Warning(cron, e.reason, "%s", e.message)
		} else {
			c.events.Normal(cron, e.reason, "%s", e.message)
		}
	}
	for _, job := range plan.replace {
		if err := c.remove(ctx, cron, job); err != nil {
			return err
		}
	}
	var failed error
	if !plan.create.IsZero() {
		failed = c.create(ctx, cron, &plan)
	}
	if err := setStatus(ctx, c.crons, cron, func(o *batchv1.CronJob) { o.Status = plan.status }); err != nil {
		return errors.Join(failed, err)
	}
	for _, job := range plan.remove {
		failed = errors.Join(failed, c.remove(ctx, cron, job))
	}
	return failed
}

func (c *cronJobs) remove(ctx context.Context, cron *batchv1.CronJob, job *batchv1.Job) error {
	policy := metav1.DeletePropagationBackground
	if err := removeSeen(ctx, c.jobs, job, metav1.DeleteOptions{PropagationPolicy: &policy}); err != nil {
		c.events.Warning(cron, "FailedDelete", "Deleted job: %v", err)
		return fmt.Errorf("deleting job %s: %w", job.Name, err)
	}
	c.events.Normal(cron, "SuccessfulDelete", "Deleted job %v", job.Name)
	return nil
}

// create makes the Job that is due, and lists it in the status. A namesake that is somebody else's is theirs to report.
func (c *cronJobs) create(ctx context.Context, cron *batchv1.CronJob, plan *cronJobPlan) error {
	due, err := jobOfCron(cron, plan.create)
	if err != nil {
		return err
	}
	job, err := c.jobs.Create(ctx, due)
	switch {
	case apierrors.IsAlreadyExists(err):
		made, ok := c.jobs.Get(cron.Namespace, due.Name)
		if !ok || !metav1.IsControlledBy(made, cron) {
			return nil
		}
		job = made
	case err != nil:
		if !apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
			c.events.Warning(cron, "FailedCreate", "Error creating job: %v", err)
		}
		return fmt.Errorf("creating a job of %s: %w", cron.Name, err)
	default:
		c.events.Normal(cron, "SuccessfulCreate", "Created job %v", job.Name)
	}
	plan.status.Active = append(plan.status.Active, referenceTo(job))
	plan.status.LastScheduleTime = ptr.To(metav1.NewTime(plan.create))
	return nil
}

// cronJobName is the same for the same time: no time gets two Jobs.
func cronJobName(cron *batchv1.CronJob, at time.Time) string {
	return fmt.Sprintf("%s-%d", cron.Name, at.Unix()/60)
}

// jobOfCron is the Job for a time, which its annotation tells in the CronJob's zone.
func jobOfCron(cron *batchv1.CronJob, at time.Time) (*batchv1.Job, error) {
	zone, err := zoneOf(cron)
	if err != nil {
		return nil, fmt.Errorf("making a job of %s: %w", cron.Name, err)
	}
	template := cron.Spec.JobTemplate.DeepCopy()
	annotations := cloned(template.Annotations)
	annotations[batchv1.CronJobScheduledTimestampAnnotation] = at.In(zone).Format(time.RFC3339)
	return &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: cron.Namespace, Name: cronJobName(cron, at), Labels: template.Labels, Annotations: annotations,
			CreationTimestamp: metav1.NewTime(at),
			OwnerReferences:   []metav1.OwnerReference{*metav1.NewControllerRef(cron, kind.CronJob.GroupVersionKind)},
		},
		Spec: template.Spec,
	}, nil
}
