package controller

import (
	"strconv"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/utils/ptr"

	"leme/server/indexes"
)

// jobFinalizer keeps a pod until it has been counted in its Job's status, so that none is lost.
const jobFinalizer = batchv1.JobTrackingFinalizer

// noIndex is that of a pod of a Job without indexes, and of one whose index makes no sense.
const noIndex = -1

// jobView is a Job and its pods at one moment.
type jobView struct {
	job         *batchv1.Job
	pods        []*corev1.Pod
	now         time.Time
	indexed     bool
	perIndex    bool  // each index has its own back-off limit
	completions int32 // where indexed
	uncounted   uncountedPods

	active      []*corev1.Pod
	ready       int32
	terminating int32

	succeeded, failed int32       // all there ever were, whether counted in the status yet or not
	done, lost        indexes.Set // of an indexed Job: the indexes that succeeded, and that failed for good
	delayed           map[int32]*corev1.Pod
}

// uncountedPods are those that the status names: on their way from having a finalizer to being a number.
type uncountedPods struct{ succeeded, failed sets.Set[types.UID] }

func newJobView(job *batchv1.Job, pods []*corev1.Pod, now time.Time) *jobView {
	v := &jobView{job: job, pods: pods, now: now}
	v.indexed = ptr.Deref(job.Spec.CompletionMode, batchv1.NonIndexedCompletion) == batchv1.IndexedCompletion
	v.perIndex = job.Spec.BackoffLimitPerIndex != nil
	v.completions = ptr.Deref(job.Spec.Completions, 0)
	u := ptr.Deref(job.Status.UncountedTerminatedPods, batchv1.UncountedTerminatedPods{})
	v.uncounted = uncountedPods{sets.New(u.Succeeded...), sets.New(u.Failed...)}
	for _, p := range pods {
		switch {
		case podActive(p):
			v.active = append(v.active, p)
			if _, ready := podReady(p); ready {
				v.ready++
			}
		case p.DeletionTimestamp != nil && !podFinished(p):
			v.terminating++
		}
	}
	v.count()
	return v
}

// count adds to the status what has ended since.
func (v *jobView) count() {
	s := &v.job.Status
	v.succeeded = s.Succeeded + int32(len(v.uncounted.succeeded))
	v.failed = s.Failed + int32(len(v.uncounted.failed))
	var done, lost []int32
	for _, p := range v.pods {
		if !v.tracked(p) {
			continue
		}
		switch {
		case p.Status.Phase == corev1.PodSucceeded:
			if !v.uncounted.succeeded.Has(p.UID) {
				v.succeeded++
			}
			done = append(done, v.index(p))
		case v.podFailed(p):
			match := matchFailure(v.job.Spec.PodFailurePolicy, p)
			if match.counts && !v.uncounted.failed.Has(p.UID) {
				v.failed++
			}
			if v.perIndex && (match.action == batchv1.PodFailurePolicyActionFailIndex || match.counts && failures(p) >= *v.job.Spec.BackoffLimitPerIndex) {
				lost = append(lost, v.index(p))
			}
		}
	}
	if !v.indexed {
		return
	}
	v.done = indexes.Below(s.CompletedIndexes, v.completions).With(indexes.Of(done...))
	v.succeeded = v.done.Len()
	if v.perIndex {
		v.lost = indexes.Below(ptr.Deref(s.FailedIndexes, ""), v.completions).With(indexes.Of(lost...))
		v.delayed = v.podsToReplace()
	}
}

// tracked tells whether a pod is still to be counted: it has its finalizer, and an index where it needs one.
func (v *jobView) tracked(p *corev1.Pod) bool {
	return hasJobFinalizer(p) && (!v.indexed || v.index(p) != noIndex)
}

// index is a pod's, or noIndex.
func (v *jobView) index(p *corev1.Pod) int32 {
	n, err := strconv.ParseInt(p.Annotations[batchv1.JobCompletionIndexAnnotation], 10, 32)
	if err != nil || n < 0 || int32(n) >= v.completions {
		return noIndex
	}
	return int32(n)
}

// podFailed also counts pods that are deleted before they ended, unless only pods that have ended are replaced.
func (v *jobView) podFailed(p *corev1.Pod) bool {
	switch {
	case p.Status.Phase == corev1.PodFailed:
		return true
	case v.waitsForEnds(), p.Status.Phase == corev1.PodSucceeded:
		return false
	}
	return p.DeletionTimestamp != nil
}

// waitsForEnds tells that a pod which is being deleted is replaced only once it has ended.
func (v *jobView) waitsForEnds() bool {
	return ptr.Deref(v.job.Spec.PodReplacementPolicy, batchv1.TerminatingOrFailed) == batchv1.Failed
}

func (v *jobView) suspended() bool { return ptr.Deref(v.job.Spec.Suspend, false) }

// activeIndexes are those that have a running pod.
func (v *jobView) activeIndexes() indexes.Set {
	var list []int32
	for _, p := range v.active {
		if i := v.index(p); i != noIndex {
			list = append(list, i)
		}
	}
	return indexes.Of(list...)
}

// podsToReplace is, of each index that will get another pod, the last one that failed. It keeps its finalizer until
// the other one is there, which carries on counting the failures.
func (v *jobView) podsToReplace() map[int32]*corev1.Pod {
	running, last := v.activeIndexes(), map[int32]*corev1.Pod{}
	for _, p := range v.pods {
		i := v.index(p)
		if !v.tracked(p) || !v.podFailed(p) || v.done.Has(i) || v.lost.Has(i) || running.Has(i) {
			continue
		}
		if other, ok := last[i]; ok && (allFailures(other) > allFailures(p) || finishTime(p).Before(finishTime(other))) {
			continue
		}
		last[i] = p
	}
	return last
}

func hasJobFinalizer(p *corev1.Pod) bool { return hasFinalizer(p, jobFinalizer) }

// failures are how many pods of an index failed before this one; allFailures also those that were ignored.
func failures(p *corev1.Pod) int32 { return countIn(p, batchv1.JobIndexFailureCountAnnotation) }

func allFailures(p *corev1.Pod) int32 {
	return failures(p) + countIn(p, batchv1.JobIndexIgnoredFailureCountAnnotation)
}

func countIn(p *corev1.Pod, annotation string) int32 {
	n, err := strconv.ParseInt(p.Annotations[annotation], 10, 32)
	if err != nil || n < 0 {
		return 0
	}
	return int32(n)
}
