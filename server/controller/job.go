package controller

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"

	"leme/server/event"
	"leme/server/kind"
	"leme/server/resource"
)

// jobs runs each Job's pods until it has ended.
type jobs struct {
	jobs   resource.Typed[*batchv1.Job]
	pods   resource.Typed[*corev1.Pod]
	events *event.Source
	now    func() time.Time
}

const jobUser = "system:controller:job-controller"

func newJobs(e *environment) component {
	c := &jobs{
		jobs:   resource.For[*batchv1.Job](e.api, kind.Job, jobUser),
		pods:   resource.For[*corev1.Pod](e.api, kind.Pod, jobUser),
		events: e.events.From("job-controller"),
		now:    e.now,
	}
	return &loop[objectKey]{
		name:    "job",
		workers: 8,
		sources: []source[objectKey]{
			{of(e.api, kind.Job), itself},
			{of(e.api, kind.Pod), ofPods(kind.Job, c.jobs, func(j *batchv1.Job, pod *corev1.Pod) bool { return selects(j.Spec.Selector, pod) })},
		},
		reconcile: c.reconcile,
	}
}

func (c *jobs) reconcile(ctx context.Context, key objectKey) (time.Duration, error) {
	job, ok := c.jobs.Get(key.Namespace, key.Name)
	if !ok || managedElsewhere(job) || jobFinished(&job.Status) {
		return 0, nil
	}
	selector, err := metav1.LabelSelectorAsSelector(job.Spec.Selector)
	if err != nil || selector.Empty() {
		return 0, nil // the API admits no such Job
	}
	claims := claim(job, selector, c.pods.List(job.Namespace, mayClaim[*corev1.Pod](job)))
	owned, err := claims.apply(ctx, c.pods, job, kind.Job.GroupVersionKind)
	if err != nil {
		return 0, err
	}
	plan := planJob(job, owned, c.now())
	return plan.again, c.apply(ctx, job, plan)
}

func managedElsewhere(j *batchv1.Job) bool {
	return ptr.Deref(j.Spec.ManagedBy, batchv1.JobControllerName) != batchv1.JobControllerName
}

// apply carries a plan out in the order that it needs. Pods that could not be made are tried again, but what has
// ended is counted all the same.
func (c *jobs) apply(ctx context.Context, job *batchv1.Job, plan jobPlan) error {
	if err := c.each(plan.drop, func(p *corev1.Pod) error { return c.drop(ctx, job, p) }); err != nil {
		return err
	}
	if err := c.each(plan.end, func(p *corev1.Pod) error { return removePod(ctx, c.pods, c.events, job, p) }); err != nil {
		return err
	}
	failed := c.create(ctx, job, plan.create)
	if err := setStatus(ctx, c.jobs, job, func(j *batchv1.Job) { j.Status = plan.status }); err != nil {
		return errors.Join(failed, err)
	}
	c.tell(job, &plan.status)
	return errors.Join(failed, c.each(plan.release, func(p *corev1.Pod) error { return c.release(ctx, p) }))
}

func (c *jobs) each(pods []*corev1.Pod, do func(*corev1.Pod) error) error {
	_, err := sideBySide(len(pods), func(i int) error { return do(pods[i]) })
	return err
}

// drop removes a pod that is not to be counted.
func (c *jobs) drop(ctx context.Context, job *batchv1.Job, p *corev1.Pod) error {
	if err := c.release(ctx, p); err != nil {
		return err
	}
	return removePod(ctx, c.pods, c.events, job, p)
}

// release takes a pod's finalizer away.
func (c *jobs) release(ctx context.Context, p *corev1.Pod) error {
	return releaseJobPod(ctx, c.pods, p)
}

func releaseJobPod(ctx context.Context, pods resource.Typed[*corev1.Pod], seen *corev1.Pod) error {
	_, err := pods.Update(ctx, seen.Namespace, seen.Name, func(p *corev1.Pod) error {
		if p.UID == seen.UID {
			dropFinalizer(jobFinalizer)(p)
		}
		return nil
	})
	if err = ignoreGone(err); err != nil {
		return fmt.Errorf("letting go of pod %s: %w", seen.Name, err)
	}
	return nil
}

func (c *jobs) create(ctx context.Context, job *batchv1.Job, list []jobPod) error {
	created, err := slowStart(len(list), func(i int) error {
		pod, err := c.pods.Create(ctx, podOfJob(job, list[i]))
		switch {
		case err == nil:
			c.events.Normal(job, "SuccessfulCreate", "Created pod: %s", pod.Name)
		case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
			return nil
		default:
			c.events.Warning(job, "FailedCreate", "Error creating: %v", err)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("created %d of %d pods: %w", created, len(list), err)
	}
	return nil
}

// tell records what has become of a Job.
func (c *jobs) tell(job *batchv1.Job, now *batchv1.JobStatus) {
	turned := func(t batchv1.JobConditionType) bool {
		return hasJobCondition(now, t) != hasJobCondition(&job.Status, t)
	}
	if turned(batchv1.JobSuspended) {
		if hasJobCondition(now, batchv1.JobSuspended) {
			c.events.Normal(job, "Suspended", "Job suspended")
		} else {
			c.events.Normal(job, "Resumed", "Job resumed")
		}
	}
	if turned(batchv1.JobComplete) {
		if job.Spec.Completions != nil && now.Succeeded > *job.Spec.Completions {
			c.events.Warning(job, "TooManySucceededPods", "Too many succeeded pods running after completion count reached")
		}
		c.events.Normal(job, "Completed", "Job completed")
	}
	if failed := findJobCondition(now, batchv1.JobFailed); failed != nil && turned(batchv1.JobFailed) {
		c.events.Warning(job, failed.Reason, "%s", failed.Message)
	}
}

// podOfJob makes a pod that stays until it has been counted and, where the Job is indexed, knows its index.
func podOfJob(job *batchv1.Job, planned jobPod) *corev1.Pod {
	ref := *metav1.NewControllerRef(job, kind.Job.GroupVersionKind)
	pod := podFromTemplate(&job.Spec.Template, job.Namespace, job.Name, ref)
	if !slices.Contains(pod.Finalizers, jobFinalizer) {
		pod.Finalizers = append(pod.Finalizers, jobFinalizer)
	}
	if planned.index == noIndex {
		return pod
	}
	index := strconv.Itoa(int(planned.index))
	suffix := "-" + index + "-"
	pod.GenerateName = job.Name[:min(len(job.Name), validation.DNS1123LabelMaxLength-generatedSuffix-len(suffix))] + suffix
	pod.Spec.Hostname = job.Name + "-" + index
	pod.Labels, pod.Annotations = cloned(pod.Labels), cloned(pod.Annotations)
	pod.Labels[batchv1.JobCompletionIndexAnnotation], pod.Annotations[batchv1.JobCompletionIndexAnnotation] = index, index
	if job.Spec.BackoffLimitPerIndex != nil {
		pod.Annotations[batchv1.JobIndexFailureCountAnnotation] = strconv.Itoa(int(planned.failed))
		if planned.ignored > 0 {
			pod.Annotations[batchv1.JobIndexIgnoredFailureCountAnnotation] = strconv.Itoa(int(planned.ignored))
		}
	}
	for _, list := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range list {
			tellIndex(&list[i])
		}
	}
	return pod
}

// generatedSuffix is how long the random end of a generated name is.
const generatedSuffix = 5

// indexVariable is where a container finds its pod's index, unless the template uses the name itself.
const indexVariable = "JOB_COMPLETION_INDEX"

func tellIndex(c *corev1.Container) {
	if slices.ContainsFunc(c.Env, func(e corev1.EnvVar) bool { return e.Name == indexVariable }) {
		return
	}
	path := fmt.Sprintf("metadata.labels['%s']", batchv1.JobCompletionIndexAnnotation)
	c.Env = append(c.Env, corev1.EnvVar{Name: indexVariable, ValueFrom: &corev1.EnvVarSource{
		FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: path},
	}})
}

// cloned is a copy of a map that can be written to.
func cloned(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return maps.Clone(m)
}
