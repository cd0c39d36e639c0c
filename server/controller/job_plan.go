package controller

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"leme/server/indexes"
)

// maxUncounted bounds how many pods a status names at a time.
const maxUncounted = 500

// jobPlan is the next step of a Job. It is carried out in the order of its fields: a pod loses its finalizer only when
// the status that names it is stored, so that it is counted once whenever who does this dies in between.
type jobPlan struct {
	drop    []*corev1.Pod // too many: they lose their finalizer and go, and are not counted
	end     []*corev1.Pod // still running when the Job has ended
	create  []jobPod
	status  batchv1.JobStatus
	release []*corev1.Pod // lose their finalizer
	again   time.Duration
}

// jobPod is a pod to make: its index, and how often the index has failed.
type jobPod struct{ index, failed, ignored int32 }

func (p jobPlan) String() string {
	var parts []string
	list := func(verb string, pods []*corev1.Pod) {
		for _, pod := range pods {
			parts = append(parts, verb+" "+pod.Name)
		}
	}
	list("drop", p.drop)
	list("end", p.end)
	for _, c := range p.create {
		if c.index == noIndex {
			parts = append(parts, "create")
		} else {
			parts = append(parts, fmt.Sprintf("create %d", c.index))
		}
	}
	list("release", p.release)
	for _, c := range p.status.Conditions {
		if c.Status == corev1.ConditionTrue {
			parts = append(parts, fmt.Sprintf("%s: %s", c.Type, c.Reason))
		}
	}
	return strings.Join(parts, ", ")
}

// planJob compares a Job that has not finished with the pods that it owns.
func planJob(job *batchv1.Job, owned []*corev1.Pod, now time.Time) jobPlan {
	v := newJobView(job, owned, now)
	p := jobPlan{status: *job.Status.DeepCopy()}
	p.status.Active, p.status.Ready, p.status.Terminating = int32(len(v.active)), &v.ready, &v.terminating
	if p.status.StartTime == nil && !v.suspended() {
		p.status.StartTime = ptr.To(metav1.NewTime(now))
	}
	v.settle(&p)
	end := v.verdict(&p)
	switch {
	case end != nil:
		p.end = v.active
	case job.DeletionTimestamp == nil:
		v.manage(&p)
		if end = v.completed(&p); end == nil {
			v.rest(&p)
		}
	}
	v.release(&p, end)
	if end != nil {
		v.finish(&p, end)
	}
	return p
}

// settle turns the pods that have lost their finalizer from names into numbers.
func (v *jobView) settle(p *jobPlan) {
	waiting := map[types.UID]bool{}
	for _, pod := range v.pods {
		if hasJobFinalizer(pod) {
			waiting[pod.UID] = true
		}
	}
	u := p.status.UncountedTerminatedPods
	if u == nil {
		u = &batchv1.UncountedTerminatedPods{}
		p.status.UncountedTerminatedPods = u
	}
	keep := func(list []types.UID) (kept []types.UID, gone int32) {
		for _, uid := range list {
			if waiting[uid] {
				kept = append(kept, uid)
			}
		}
		return kept, int32(len(list) - len(kept))
	}
	var gone int32
	u.Succeeded, gone = keep(u.Succeeded)
	p.status.Succeeded += gone
	u.Failed, gone = keep(u.Failed)
	p.status.Failed += gone
}

// release names the pods that have ended in the status, and lets go of those that it names.
func (v *jobView) release(p *jobPlan, end *batchv1.JobCondition) {
	pods := slices.Clone(v.pods)
	if v.indexed {
		slices.SortStableFunc(pods, func(a, b *corev1.Pod) int { return cmp.Compare(v.index(a), v.index(b)) })
	}
	u, done := p.status.UncountedTerminatedPods, indexes.Below(p.status.CompletedIndexes, v.completions)
	var fresh []int32
	for _, pod := range pods {
		if !hasJobFinalizer(pod) || !v.releasable(pod, end) {
			continue
		}
		p.release = append(p.release, pod)
		switch failed := v.podFailed(pod); {
		case pod.Status.Phase == corev1.PodSucceeded && !v.uncounted.failed.Has(pod.UID):
			if v.indexed {
				fresh = append(fresh, v.index(pod))
			} else if !v.uncounted.succeeded.Has(pod.UID) {
				u.Succeeded = append(u.Succeeded, pod.UID)
			}
		case failed || end != nil && end.Type == batchv1.JobFailureTarget:
			if v.tracked(pod) && !v.uncounted.failed.Has(pod.UID) && matchFailure(v.job.Spec.PodFailurePolicy, pod).counts {
				u.Failed = append(u.Failed, pod.UID)
			}
		}
		if len(fresh)+len(u.Succeeded)+len(u.Failed) >= maxUncounted {
			break
		}
	}
	if !v.indexed {
		return
	}
	fresh = slices.DeleteFunc(fresh, func(i int32) bool { return i == noIndex })
	done = done.With(indexes.Of(fresh...))
	p.status.CompletedIndexes, p.status.Succeeded = done.String(), done.Len()
	if v.perIndex {
		p.status.FailedIndexes = ptr.To(v.lost.String())
	}
}

// releasable tells whether a pod's finalizer may go.
func (v *jobView) releasable(pod *corev1.Pod, end *batchv1.JobCondition) bool {
	if v.job.DeletionTimestamp != nil || end != nil || pod.Status.Phase == corev1.PodSucceeded {
		return true
	}
	if !v.podFailed(pod) {
		return false
	}
	awaited, delayed := v.delayed[v.index(pod)]
	return !delayed || awaited.UID != pod.UID
}

// finish says that a Job will end, and once nothing of it is left to count, that it has.
func (v *jobView) finish(p *jobPlan, end *batchv1.JobCondition) {
	setJobCondition(&p.status, *end)
	u := p.status.UncountedTerminatedPods
	if len(p.release)+len(p.end)+len(v.active)+len(u.Succeeded)+len(u.Failed) > 0 || v.terminating > 0 {
		return
	}
	last := newJobCondition(batchv1.JobFailed, end.Reason, end.Message, v.now)
	if end.Type == batchv1.JobSuccessCriteriaMet {
		last.Type = batchv1.JobComplete
		p.status.CompletionTime = &last.LastTransitionTime
	}
	setJobCondition(&p.status, *last)
}

// rest tells in the conditions whether a Job is suspended. Its time starts anew when it goes on.
func (v *jobView) rest(p *jobPlan) {
	was := hasJobCondition(&p.status, batchv1.JobSuspended)
	switch {
	case v.suspended() && !was:
		setJobCondition(&p.status, *newJobCondition(batchv1.JobSuspended, "JobSuspended", "Job suspended", v.now))
		p.status.StartTime = nil
	case !v.suspended() && was:
		c := newJobCondition(batchv1.JobSuspended, "JobResumed", "Job resumed", v.now)
		c.Status = corev1.ConditionFalse
		setJobCondition(&p.status, *c)
		p.status.StartTime = ptr.To(metav1.NewTime(v.now))
	}
}

func newJobCondition(t batchv1.JobConditionType, reason, message string, now time.Time) *batchv1.JobCondition {
	at := metav1.NewTime(now)
	return &batchv1.JobCondition{Type: t, Status: corev1.ConditionTrue, LastProbeTime: at, LastTransitionTime: at, Reason: reason, Message: message}
}

func setJobCondition(s *batchv1.JobStatus, c batchv1.JobCondition) {
	for i, old := range s.Conditions {
		if old.Type == c.Type {
			if old.Status != c.Status {
				s.Conditions[i] = c
			}
			return
		}
	}
	s.Conditions = append(s.Conditions, c)
}

func hasJobCondition(s *batchv1.JobStatus, t batchv1.JobConditionType) bool {
	return findJobCondition(s, t) != nil
}

func findJobCondition(s *batchv1.JobStatus, t batchv1.JobConditionType) *batchv1.JobCondition {
	for i := range s.Conditions {
		if c := &s.Conditions[i]; c.Type == t && c.Status == corev1.ConditionTrue {
			return c
		}
	}
	return nil
}

func jobFinished(s *batchv1.JobStatus) bool {
	return hasJobCondition(s, batchv1.JobComplete) || hasJobCondition(s, batchv1.JobFailed)
}
