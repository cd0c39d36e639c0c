package controller

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"leme/server/indexes"
)

// manage plans which pods go and come while a Job is under way: never both at a time.
func (v *jobView) manage(p *jobPlan) {
	if v.suspended() {
		p.drop = v.active
		return
	}
	wanted := v.wantedActive()
	if p.drop = v.superfluous(int(int32(len(v.active)) - wanted)); len(p.drop) > 0 {
		p.drop = p.drop[:min(len(p.drop), burst)]
		return
	}
	missing := wanted - int32(len(v.active))
	if v.waitsForEnds() {
		missing -= v.terminating
	}
	if missing <= 0 {
		return
	}
	if !v.perIndex {
		if wait := v.backOff(); wait > 0 {
			p.again = sooner(p.again, wait)
			return
		}
	}
	v.create(p, int(min(missing, burst)))
}

// wantedActive is how many pods should run now.
func (v *jobView) wantedActive() int32 {
	parallel := *v.job.Spec.Parallelism
	switch {
	case v.job.Spec.Completions != nil:
		return max(0, min(parallel, *v.job.Spec.Completions-v.succeeded))
	case v.succeeded > 0: // one is enough; who runs may end
		return int32(len(v.active))
	}
	return parallel
}

// superfluous are at least n pods that run for nothing: of an indexed Job first those without a proper index and all
// but one of each.
func (v *jobView) superfluous(n int) []*corev1.Pod {
	var out []*corev1.Pod
	left := v.active
	if v.indexed {
		left = nil
		sorted := victims(v.active, nil, len(v.active), v.now)
		slices.Reverse(sorted)
		taken := map[int32]bool{noIndex: true}
		for _, p := range sorted {
			if i := v.index(p); taken[i] {
				out = append(out, p)
			} else {
				taken[i] = true
				left = append(left, p)
			}
		}
	}
	if len(out) < n {
		out = append(out, victims(left, nil, n-len(out), v.now)...)
	}
	return out
}

// create plans n pods, less where indexes that failed still have to wait.
func (v *jobView) create(p *jobPlan, n int) {
	if !v.indexed {
		for range n {
			p.create = append(p.create, jobPod{index: noIndex})
		}
		return
	}
	var soonest time.Duration
	for _, i := range v.pending(n) {
		pod := jobPod{index: i}
		if failed, ok := v.delayed[i]; ok {
			if wait := backOff(allFailures(failed)+1, finishTime(failed), v.now); wait > 0 {
				soonest = sooner(soonest, wait)
				continue
			}
			pod = v.successor(failed)
		}
		p.create = append(p.create, pod)
	}
	p.again = sooner(p.again, soonest)
}

// successor takes the place of a pod that failed, and carries on its counts.
func (v *jobView) successor(failed *corev1.Pod) jobPod {
	pod := jobPod{index: v.index(failed), failed: failures(failed), ignored: allFailures(failed) - failures(failed)}
	if matchFailure(v.job.Spec.PodFailurePolicy, failed).counts {
		pod.failed++
	} else {
		pod.ignored++
	}
	return pod
}

// pending are the first n indexes for which nothing has been done or is being done.
func (v *jobView) pending(n int) []int32 {
	taken := v.done.With(v.lost).With(v.activeIndexes())
	if v.waitsForEnds() {
		var leaving []int32
		for _, p := range v.pods {
			if p.DeletionTimestamp != nil && !podFinished(p) && v.index(p) != noIndex {
				leaving = append(leaving, v.index(p))
			}
		}
		taken = taken.With(indexes.Of(leaving...))
	}
	return taken.Missing(v.completions, n)
}

// After a failure the next pod waits for firstBackOff, then twice as long each time, up to lastBackOff.
const (
	firstBackOff = 10 * time.Second
	lastBackOff  = 10 * time.Minute
)

// backOff is how long no pod should be made after the failures since the last success. It is read off the pods, which
// stay after they have ended.
func (v *jobView) backOff() time.Duration {
	var success, failure time.Time
	for _, p := range v.pods {
		if at := finishTime(p); p.Status.Phase == corev1.PodSucceeded && at.After(success) {
			success = at
		}
	}
	var n int32
	for _, p := range v.pods {
		if at := finishTime(p); v.podFailed(p) && at.After(success) {
			n++
			failure = later(failure, at)
		}
	}
	return backOff(n, failure, v.now)
}

func backOff(failures int32, last, now time.Time) time.Duration {
	if failures == 0 {
		return 0
	}
	wait := firstBackOff
	for i := int32(1); i < failures && wait < lastBackOff; i++ {
		wait *= 2
	}
	return max(0, min(wait, lastBackOff)-now.Sub(last))
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// finishTime is when a pod ended, as well as that can be told: by its containers, by when it ceased to be ready, by
// its deletion.
func finishTime(p *corev1.Pod) time.Time {
	statuses := slices.Concat(p.Status.ContainerStatuses, sidecarStatuses(p))
	var last time.Time
	for _, s := range statuses {
		if s.State.Terminated == nil || s.State.Terminated.FinishedAt.IsZero() {
			last = time.Time{}
			break
		}
		last = later(last, s.State.Terminated.FinishedAt.Time)
	}
	since, ready := podReady(p)
	switch {
	case !last.IsZero():
		return last
	case !ready && !since.IsZero():
		return since
	case p.DeletionTimestamp != nil:
		return p.DeletionTimestamp.Add(-time.Duration(ptr.Deref(p.DeletionGracePeriodSeconds, 0)) * time.Second)
	}
	return p.CreationTimestamp.Time
}
