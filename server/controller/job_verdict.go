package controller

import (
	"fmt"
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"leme/server/indexes"
)

// verdict says why a Job is to end whatever its pods still do, or nil. What was said once stands; then the first
// rule that holds.
func (v *jobView) verdict(p *jobPlan) *batchv1.JobCondition {
	for _, said := range []batchv1.JobConditionType{batchv1.JobSuccessCriteriaMet, batchv1.JobFailureTarget} {
		if c := findJobCondition(&v.job.Status, said); c != nil {
			return c
		}
	}
	fails := func(reason, message string) *batchv1.JobCondition {
		return newJobCondition(batchv1.JobFailureTarget, reason, message, v.now)
	}
	if message := v.fatalPod(); message != "" {
		return fails(batchv1.JobReasonPodFailurePolicy, message)
	}
	left, limited := v.timeLeft(p)
	switch limit := v.job.Spec.MaxFailedIndexes; {
	case v.failed > *v.job.Spec.BackoffLimit, v.restartedTooOften():
		return fails(batchv1.JobReasonBackoffLimitExceeded, "Job has reached the specified backoff limit")
	case limited && left <= 0:
		return fails(batchv1.JobReasonDeadlineExceeded, "Job was active longer than specified deadline")
	case v.perIndex && limit != nil && v.lost.Len() > *limit:
		return fails(batchv1.JobReasonMaxFailedIndexesExceeded, "Job has exceeded the specified maximal number of failed indexes")
	case v.perIndex && v.lost.Len() > 0 && v.lost.Len()+v.done.Len() >= v.completions:
		return fails(batchv1.JobReasonFailedIndexes, "Job has failed indexes")
	}
	if limited {
		p.again = sooner(p.again, left)
	}
	if rule, met := v.successRule(); met {
		return newJobCondition(batchv1.JobSuccessCriteriaMet, batchv1.JobReasonSuccessPolicy, fmt.Sprintf("Matched rules at index %d", rule), v.now)
	}
	return nil
}

// completed says that all that was asked for has been done, or nil.
func (v *jobView) completed(p *jobPlan) *batchv1.JobCondition {
	if len(v.active) > 0 || len(p.create) > 0 {
		return nil
	}
	enough := v.succeeded > 0
	if v.job.Spec.Completions != nil {
		enough = v.succeeded >= *v.job.Spec.Completions
	}
	if !enough {
		return nil
	}
	return newJobCondition(batchv1.JobSuccessCriteriaMet, batchv1.JobReasonCompletionsReached, "Reached expected number of succeeded pods", v.now)
}

// timeLeft is what is left of the time that a Job may take, where that is limited.
func (v *jobView) timeLeft(p *jobPlan) (left time.Duration, limited bool) {
	if v.job.Spec.ActiveDeadlineSeconds == nil || v.suspended() || p.status.StartTime == nil {
		return 0, false
	}
	return time.Duration(*v.job.Spec.ActiveDeadlineSeconds)*time.Second - v.now.Sub(p.status.StartTime.Time), true
}

// restartedTooOften counts the restarts of pods that are not replaced when they fail.
func (v *jobView) restartedTooOften() bool {
	if v.job.Spec.Template.Spec.RestartPolicy != corev1.RestartPolicyOnFailure {
		return false
	}
	var n int32
	for _, p := range v.pods {
		if p.Status.Phase != corev1.PodRunning && p.Status.Phase != corev1.PodPending {
			continue
		}
		for _, s := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
			n += s.RestartCount
		}
	}
	return n > 0 && n >= *v.job.Spec.BackoffLimit
}

// fatalPod tells of a pod whose failure ends the Job, if there is one.
func (v *jobView) fatalPod() string {
	if v.job.Spec.PodFailurePolicy == nil {
		return ""
	}
	for _, p := range v.pods {
		if !v.podFailed(p) {
			continue
		}
		if match := matchFailure(v.job.Spec.PodFailurePolicy, p); match.action == batchv1.PodFailurePolicyActionFailJob {
			return match.message
		}
	}
	return ""
}

// successRule is the first rule of the success policy that is met.
func (v *jobView) successRule() (rule int, met bool) {
	if v.job.Spec.SuccessPolicy == nil || !v.indexed || len(v.done) == 0 {
		return 0, false
	}
	for i, r := range v.job.Spec.SuccessPolicy.Rules {
		if r.SucceededIndexes == nil {
			if r.SucceededCount != nil && v.done.Len() >= *r.SucceededCount {
				return i, true
			}
			continue
		}
		wanted := indexes.Below(*r.SucceededIndexes, v.completions)
		if len(wanted) == 0 {
			continue
		}
		n := v.done.Within(wanted)
		if n == wanted.Len() || r.SucceededCount != nil && n >= *r.SucceededCount {
			return i, true
		}
	}
	return 0, false
}

// failureMatch is what a failure policy says of a failed pod.
type failureMatch struct {
	action  batchv1.PodFailurePolicyAction // "": no rule is about it
	counts  bool                           // towards the back-off limits
	message string
}

func matchFailure(policy *batchv1.PodFailurePolicy, p *corev1.Pod) failureMatch {
	if policy == nil {
		return failureMatch{counts: true}
	}
	for i, rule := range policy.Rules {
		what := ""
		if rule.OnExitCodes != nil {
			if s := exitedWith(p, rule.OnExitCodes); s != nil {
				what = fmt.Sprintf("Container %s for pod %s/%s failed with exit code %v", s.Name, p.Namespace, p.Name, s.State.Terminated.ExitCode)
			}
		} else if c := conditionAmong(p, rule.OnPodConditions); c != "" {
			what = fmt.Sprintf("Pod %s/%s has condition %v", p.Namespace, p.Name, c)
		}
		if what != "" {
			return failureMatch{rule.Action, rule.Action != batchv1.PodFailurePolicyActionIgnore, fmt.Sprintf("%s matching %v rule at index %d", what, rule.Action, i)}
		}
	}
	return failureMatch{counts: true}
}

// exitedWith is the first container that failed with one of the exit codes asked for.
func exitedWith(p *corev1.Pod, r *batchv1.PodFailurePolicyOnExitCodesRequirement) *corev1.ContainerStatus {
	for _, list := range [][]corev1.ContainerStatus{p.Status.ContainerStatuses, p.Status.InitContainerStatuses} {
		for i := range list {
			ended := list[i].State.Terminated
			if ended == nil || ended.ExitCode == 0 || r.ContainerName != nil && *r.ContainerName != list[i].Name {
				continue
			}
			if slices.Contains(r.Values, ended.ExitCode) == (r.Operator == batchv1.PodFailurePolicyOnExitCodesOpIn) {
				return &list[i]
			}
		}
	}
	return nil
}

func conditionAmong(p *corev1.Pod, patterns []batchv1.PodFailurePolicyOnPodConditionsPattern) corev1.PodConditionType {
	for _, c := range p.Status.Conditions {
		for _, pattern := range patterns {
			if c.Type == pattern.Type && c.Status == pattern.Status {
				return c.Type
			}
		}
	}
	return ""
}

// sooner is the earlier of two times to look again, 0 for none.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
