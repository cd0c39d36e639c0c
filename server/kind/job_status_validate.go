package kind

import (
	"fmt"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"

	"leme/server/indexes"
)

// jobCondition tells whether a condition of a job holds.
func jobCondition(j *batchv1.Job, t batchv1.JobConditionType) bool {
	return slices.ContainsFunc(j.Status.Conditions, func(c batchv1.JobCondition) bool {
		return c.Type == t && c.Status == corev1.ConditionTrue
	})
}

func jobFinished(j *batchv1.Job) bool {
	return jobCondition(j, batchv1.JobComplete) || jobCondition(j, batchv1.JobFailed)
}

// jobChange is a write to a job's status, whoever makes it: jobs may be managed from outside. What must hold together
// is checked only where a part of it changes, since a change of the spec may break it for a moment.
type jobChange struct {
	is, was *batchv1.Job
	errs    field.ErrorList
}

func validateJobStatus(updated, old *batchv1.Job) field.ErrorList {
	c := &jobChange{is: updated, was: old}
	c.counts()
	c.ends()
	c.times()
	c.indexes()
	c.goesOn()
	return c.errs
}

func statusPath(name string) *field.Path { return field.NewPath("status", name) }

func (c *jobChange) invalid(name string, value any, detail string) {
	c.errs = append(c.errs, field.Invalid(statusPath(name), value, detail))
}

func (c *jobChange) badConditions(detail string) {
	c.invalid("conditions", field.OmitValueType{}, detail)
}

// turned tells whether something holds now that did not, or the other way round.
func (c *jobChange) turned(holds func(*batchv1.Job) bool) bool { return holds(c.is) != holds(c.was) }

func (c *jobChange) conditionTurned(t batchv1.JobConditionType) bool {
	return c.turned(func(j *batchv1.Job) bool { return jobCondition(j, t) })
}

func (c *jobChange) counts() {
	s, was := &c.is.Status, &c.was.Status
	for _, n := range []replicaCount{{"active", s.Active}, {"succeeded", s.Succeeded}, {"failed", s.Failed}} {
		c.errs = append(c.errs, n.nonNegative(field.NewPath("status"))...)
	}
	c.errs = append(c.errs, nonNegative(statusPath("ready"), s.Ready)...)
	c.errs = append(c.errs, nonNegative(statusPath("terminating"), s.Terminating)...)
	if u := s.UncountedTerminatedPods; u != nil {
		seen := unique[types.UID]{}
		c.uncounted("succeeded", u.Succeeded, seen)
		c.uncounted("failed", u.Failed, seen)
	}
	finished := jobFinished(c.is)
	turned := c.turned(jobFinished)
	if (turned || s.Active != was.Active) && finished && s.Active > 0 {
		c.invalid("active", s.Active, "active>0 is invalid for finished job")
	}
	uncounted := s.UncountedTerminatedPods
	if (turned || !equality.Semantic.DeepEqual(uncounted, was.UncountedTerminatedPods)) && finished && uncounted != nil && len(uncounted.Failed)+len(uncounted.Succeeded) > 0 {
		c.invalid("uncountedTerminatedPods", uncounted, "must be empty for finished job")
	}
	if (turned || !ptr.Equal(s.Terminating, was.Terminating)) && finished && ptr.Deref(s.Terminating, 0) > 0 {
		c.invalid("terminating", *s.Terminating, "terminating>0 is invalid for finished job")
	}
	if (!ptr.Equal(s.Ready, was.Ready) || s.Active != was.Active) && s.Ready != nil && *s.Ready > s.Active {
		c.invalid("ready", *s.Ready, "cannot set more ready pods than active")
	}
}

func (c *jobChange) uncounted(name string, list []types.UID, seen unique[types.UID]) {
	for i, uid := range list {
		at := statusPath("uncountedTerminatedPods").Child(name).Index(i)
		if uid == "" {
			c.errs = append(c.errs, field.Invalid(at, uid, "must not be empty"))
			continue
		}
		c.errs = append(c.errs, seen.check(at, uid, uid)...)
	}
}

// ends checks that a job ends one way, and first says that it will.
func (c *jobChange) ends() {
	has := func(t batchv1.JobConditionType) bool { return jobCondition(c.is, t) }
	complete, failed, target, met := has(batchv1.JobComplete), has(batchv1.JobFailed), has(batchv1.JobFailureTarget), has(batchv1.JobSuccessCriteriaMet)
	completed, ended := c.conditionTurned(batchv1.JobComplete), c.conditionTurned(batchv1.JobFailed)
	if (completed || ended) && complete && failed {
		c.badConditions("cannot set Complete=True and Failed=true conditions")
	}
	if (completed || c.conditionTurned(batchv1.JobFailureTarget)) && complete && target {
		c.badConditions("cannot set Complete=True and FailureTarget=true conditions")
	}
	if (ended || !ptr.Equal(c.is.Status.FailedIndexes, c.was.Status.FailedIndexes)) && failed && !target {
		c.badConditions("cannot set Failed=True condition without the FailureTarget=true condition")
	}
	if (completed || c.conditionTurned(batchv1.JobSuccessCriteriaMet)) && complete && !met {
		c.badConditions("cannot set Complete=True condition without the SuccessCriteriaMet=true condition")
	}
	if met && failed {
		c.badConditions("cannot set SuccessCriteriaMet=True and Failed=true conditions")
	}
	if met && target {
		c.badConditions("cannot set SuccessCriteriaMet=True and FailureTarget=true conditions")
	}
	if c.is.Spec.SuccessPolicy != nil && !met && complete {
		c.badConditions("cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True")
	}
}

func (c *jobChange) times() {
	s, was := &c.is.Status, &c.was.Status
	complete := jobCondition(c.is, batchv1.JobComplete)
	started, completed := !ptr.Equal(s.StartTime, was.StartTime), !ptr.Equal(s.CompletionTime, was.CompletionTime)
	turned := c.conditionTurned(batchv1.JobComplete) || completed
	if turned && s.CompletionTime != nil && !complete {
		c.invalid("completionTime", s.CompletionTime, "cannot set completionTime when there is no Complete=True condition")
	}
	if turned && s.CompletionTime == nil && complete {
		c.errs = append(c.errs, field.Required(statusPath("completionTime"), "completionTime is required for Complete jobs"))
	}
	if (started || completed) && s.StartTime != nil && s.CompletionTime != nil && s.CompletionTime.Before(s.StartTime) {
		c.invalid("completionTime", s.CompletionTime, "must be equal to or after `startTime`")
	}
	idle := ptr.Deref(c.is.Spec.Suspend, false) && c.is.Spec.Completions != nil && *c.is.Spec.Completions == 0
	if (c.turned(jobFinished) || started) && !idle && s.StartTime == nil && jobFinished(c.is) {
		c.errs = append(c.errs, field.Required(statusPath("startTime"), "startTime is required for finished job"))
	}
}

func (c *jobChange) indexes() {
	s, was, completions := &c.is.Status, &c.was.Status, c.is.Spec.Completions
	completed, failed := s.CompletedIndexes != was.CompletedIndexes, !ptr.Equal(s.FailedIndexes, was.FailedIndexes)
	var done, lost indexes.Set
	var err error
	if completions != nil {
		if done, err = indexes.Parse(s.CompletedIndexes, *completions); err != nil && completed {
			c.invalid("completedIndexes", s.CompletedIndexes, fmt.Sprintf("error parsing completedIndexes: %s", err))
		}
		if lost, err = indexes.Parse(ptr.Deref(s.FailedIndexes, ""), *completions); err != nil && failed && c.is.Spec.BackoffLimitPerIndex != nil {
			c.invalid("failedIndexes", *s.FailedIndexes, fmt.Sprintf("error parsing failedIndexes: %s", err))
		}
	}
	if completed && s.CompletedIndexes != "" && !isIndexed(&c.is.Spec) {
		c.invalid("completedIndexes", s.CompletedIndexes, "cannot set non-empty completedIndexes when non-indexed completion mode")
	}
	if failed && c.is.Spec.BackoffLimitPerIndex == nil && s.FailedIndexes != nil {
		c.invalid("failedIndexes", *s.FailedIndexes, "cannot set non-null failedIndexes when backoffLimitPerIndex is null")
	}
	if !completed && !failed || s.FailedIndexes == nil {
		return
	}
	if index, both := done.Common(lost); both {
		c.invalid("failedIndexes", *s.FailedIndexes, fmt.Sprintf("failedIndexes and completedIndexes overlap at index: %d", index))
	}
}

// goesOn checks what a job's status never takes back.
func (c *jobChange) goesOn() {
	s, was := &c.is.Status, &c.was.Status
	for _, t := range []batchv1.JobConditionType{batchv1.JobFailed, batchv1.JobComplete, batchv1.JobFailureTarget} {
		if jobCondition(c.was, t) && !jobCondition(c.is, t) {
			c.badConditions(fmt.Sprintf("cannot disable the terminal %s=True condition", t))
		}
	}
	if s.Failed < was.Failed {
		c.invalid("failed", s.Failed, "cannot decrease the failed counter")
	}
	resizable := isIndexed(&c.is.Spec) && ptr.Equal(c.is.Spec.Completions, c.is.Spec.Parallelism)
	if s.Succeeded < was.Succeeded && !resizable {
		c.invalid("succeeded", s.Succeeded, "cannot decrease the succeeded counter")
	}
	if s.CompletionTime != nil && was.CompletionTime != nil && !s.CompletionTime.Equal(was.CompletionTime) {
		c.invalid("completionTime", s.CompletionTime, "field is immutable")
	}
	if was.StartTime != nil && !ptr.Equal(s.StartTime, was.StartTime) && !c.resuming() && !ptr.Deref(c.is.Spec.Suspend, false) {
		c.invalid("startTime", s.StartTime, "field is immutable for unsuspended job once set")
	}
	met, wasMet := jobCondition(c.is, batchv1.JobSuccessCriteriaMet), jobCondition(c.was, batchv1.JobSuccessCriteriaMet)
	if wasMet && !met {
		c.badConditions("cannot disable the SuccessCriteriaMet=True condition")
	}
	if jobCondition(c.was, batchv1.JobComplete) && !wasMet && met {
		c.badConditions("cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions")
	}
}

// resuming tells of a job that goes on after a rest, with a new start.
func (c *jobChange) resuming() bool {
	return jobCondition(c.was, batchv1.JobSuspended) && slices.ContainsFunc(c.is.Status.Conditions, func(condition batchv1.JobCondition) bool {
		return condition.Type == batchv1.JobSuspended && condition.Status == corev1.ConditionFalse
	})
}
