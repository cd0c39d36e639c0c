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

	"leme/server/cron"
	"leme/server/kind"
)

// manyMissed is how many missed times are worth telling somebody: a clock may be wrong.
const manyMissed = 100

// cronJobPlan is the next step of a CronJob.
type cronJobPlan struct {
	status  batchv1.CronJobStatus
	remove  []*batchv1.Job // of the history
	replace []*batchv1.Job // still running when the next one is due
	create  time.Time      // the time that a job is due for; zero: none is
	events  []plannedEvent
	again   time.Duration
}

// plannedEvent is what is said of an object.
type plannedEvent struct{ eventType, reason, message string }

func (p cronJobPlan) String() string {
	var parts []string
	for _, j := range p.remove {
		parts = append(parts, "remove "+j.Name)
	}
	for _, j := range p.replace {
		parts = append(parts, "replace "+j.Name)
	}
	if !p.create.IsZero() {
		parts = append(parts, "create for "+p.create.UTC().Format("15:04:05"))
	}
	for _, e := range p.events {
		parts = append(parts, e.reason)
	}
	return strings.Join(parts, ", ")
}

func (p *cronJobPlan) say(eventType, reason, format string, args ...any) {
	p.events = append(p.events, plannedEvent{eventType, reason, fmt.Sprintf(format, args...)})
}

// planCronJob compares a CronJob with the Jobs that it owns.
func planCronJob(c *batchv1.CronJob, owned []*batchv1.Job, now time.Time) cronJobPlan {
	p := cronJobPlan{status: *c.Status.DeepCopy()}
	p.remember(c, owned)
	running := p.follow(owned)
	p.remove = outdated(owned, ptr.Deref(c.Spec.SuccessfulJobsHistoryLimit, 3), ptr.Deref(c.Spec.FailedJobsHistoryLimit, 1))
	if c.DeletionTimestamp != nil {
		return p
	}
	if _, err := zoneOf(c); err != nil {
		p.say(corev1.EventTypeWarning, "UnknownTimeZone", "invalid timeZone: %q: %s", *c.Spec.TimeZone, err)
		return p
	}
	if ptr.Deref(c.Spec.Suspend, false) {
		return p
	}
	if strings.Contains(c.Spec.Schedule, "TZ") {
		p.say(corev1.EventTypeWarning, "UnsupportedSchedule", "CRON_TZ or TZ used in schedule %q is not officially supported, "+
			"see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details", c.Spec.Schedule)
	}
	schedule, err := scheduleOf(c)
	if err != nil {
		p.say(corev1.EventTypeWarning, "UnparseableSchedule", "unparseable schedule: %q : %s", c.Spec.Schedule, err)
		return p
	}
	if next := schedule.Next(now); !next.IsZero() {
		p.again = next.Sub(now)
	}
	p.due(c, schedule, running, now)
	return p
}

// scheduleOf is a CronJob's schedule in its time zone, or else in the server's. One that names a zone itself is in that.
func scheduleOf(c *batchv1.CronJob) (cron.Schedule, error) {
	if zone := c.Spec.TimeZone; zone != nil && !strings.Contains(c.Spec.Schedule, "TZ") {
		return cron.Parse("TZ=" + *zone + " " + c.Spec.Schedule)
	}
	return cron.Parse(c.Spec.Schedule)
}

// zoneOf is a CronJob's time zone; UTC where it names none.
func zoneOf(c *batchv1.CronJob) (*time.Location, error) {
	return time.LoadLocation(ptr.Deref(c.Spec.TimeZone, ""))
}

// remember learns from the Jobs what the status would say, had it been written after each was made: who made them may
// have died in between. So no time gets another Job, and one that runs is known to run.
func (p *cronJobPlan) remember(c *batchv1.CronJob, owned []*batchv1.Job) {
	listed := map[types.UID]bool{}
	for _, ref := range p.status.Active {
		listed[ref.UID] = true
	}
	for _, j := range owned {
		at, ok := dueFor(c, j)
		if !ok {
			continue
		}
		if last := p.status.LastScheduleTime; last == nil || last.Time.Before(at) {
			p.status.LastScheduleTime = ptr.To(metav1.NewTime(at))
		} else if !listed[j.UID] && last.Time.After(at) {
			continue // it was listed once
		}
		if !listed[j.UID] && !jobFinished(&j.Status) {
			p.status.Active = append(p.status.Active, referenceTo(j))
		}
	}
}

// dueFor is the time for which a CronJob has made a Job; ok is false for one that was made by somebody else.
func dueFor(c *batchv1.CronJob, j *batchv1.Job) (at time.Time, ok bool) {
	at, err := time.Parse(time.RFC3339, j.Annotations[batchv1.CronJobScheduledTimestampAnnotation])
	return at, err == nil && j.Name == cronJobName(c, at)
}

func referenceTo(j *batchv1.Job) corev1.ObjectReference {
	return corev1.ObjectReference{
		APIVersion: kind.Job.GroupVersion().String(), Kind: kind.Job.Kind,
		Namespace: j.Namespace, Name: j.Name, UID: j.UID, ResourceVersion: j.ResourceVersion,
	}
}

// follow brings the list of running Jobs up to date, and returns them. Jobs that somebody else made for the CronJob
// are told of, but do not count.
func (p *cronJobPlan) follow(owned []*batchv1.Job) (running []*batchv1.Job) {
	listed := map[types.UID]bool{}
	for _, ref := range p.status.Active {
		listed[ref.UID] = true
	}
	known := map[types.UID]bool{}
	for _, j := range owned {
		finished := jobFinished(&j.Status)
		switch {
		case !listed[j.UID] && !finished:
			p.say(corev1.EventTypeWarning, "UnexpectedJob", "Saw a job that the controller did not create or forgot: %s", j.Name)
		case listed[j.UID] && finished:
			p.say(corev1.EventTypeNormal, "SawCompletedJob", "Saw completed job: %s, condition: %v", j.Name, lastCondition(j))
		case listed[j.UID]:
			known[j.UID] = true
			running = append(running, j)
		}
		if done := j.Status.CompletionTime; done != nil && hasJobCondition(&j.Status, batchv1.JobComplete) &&
			(p.status.LastSuccessfulTime == nil || p.status.LastSuccessfulTime.Before(done)) {
			p.status.LastSuccessfulTime = done
		}
	}
	p.status.Active = slices.DeleteFunc(p.status.Active, func(ref corev1.ObjectReference) bool {
		if known[ref.UID] {
			return false
		}
		if !slices.ContainsFunc(owned, func(j *batchv1.Job) bool { return j.UID == ref.UID }) {
			p.say(corev1.EventTypeNormal, "MissingJob", "Active job went missing: %v", ref.Name)
		}
		return true
	})
	return running
}

func lastCondition(j *batchv1.Job) batchv1.JobConditionType {
	if hasJobCondition(&j.Status, batchv1.JobComplete) {
		return batchv1.JobComplete
	}
	return batchv1.JobFailed
}

// due plans a Job for the last time that has come, unless the CronJob says otherwise. Times that were missed before
// that one are not made up for.
func (p *cronJobPlan) due(c *batchv1.CronJob, schedule cron.Schedule, running []*batchv1.Job, now time.Time) {
	from := c.CreationTimestamp.Time
	if last := p.status.LastScheduleTime; last != nil {
		from = last.Time
	}
	deadline := time.Duration(ptr.Deref(c.Spec.StartingDeadlineSeconds, 0)) * time.Second
	if c.Spec.StartingDeadlineSeconds != nil {
		from = later(from, now.Add(-deadline))
	}
	at, missed := lastDue(schedule, from, now)
	switch {
	case at.IsZero():
		return
	case missed > manyMissed:
		p.say(corev1.EventTypeWarning, "TooManyMissedTimes", "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew")
	}
	switch {
	case c.Spec.StartingDeadlineSeconds != nil && at.Add(deadline).Before(now):
		p.say(corev1.EventTypeWarning, "MissSchedule", "Missed scheduled time to start a job: %s", at.UTC().Format(time.RFC1123Z))
		return
	case c.Spec.ConcurrencyPolicy == batchv1.ForbidConcurrent && len(running) > 0:
		p.say(corev1.EventTypeNormal, "JobAlreadyActive", "Not starting job because prior execution is running and concurrency policy is Forbid")
		return
	case c.Spec.ConcurrencyPolicy == batchv1.ReplaceConcurrent:
		p.replace, p.status.Active = running, nil
	}
	p.create = at
}

// lastDue is the last time of a schedule after one time and not after another, and about how many there are. It looks
// back from about the end, further each time, since the beginning may be years ago.
func lastDue(s cron.Schedule, from, to time.Time) (last time.Time, missed int) {
	first := s.Next(from)
	if first.IsZero() || first.After(to) {
		return time.Time{}, 0
	}
	start, gap := from, time.Second
	if second := s.Next(first); second.After(first) {
		gap = max(gap, second.Sub(first))
	}
	missed = int(to.Sub(first)/gap) + 1
	for back := 1; back < missed; back *= 2 {
		at := first.Add(time.Duration(missed-1-back) * gap) // schedules of equal steps keep their beat
		if next := s.Next(at); !next.IsZero() && !next.After(to) {
			start = at
			break
		}
	}
	for t := s.Next(start); !t.IsZero() && !t.After(to); t = s.Next(t) {
		last = t
	}
	return last, missed
}

// outdated are the finished Jobs that are more than are kept, the oldest of those that succeeded and that failed.
func outdated(owned []*batchv1.Job, successful, failed int32) []*batchv1.Job {
	var good, bad []*batchv1.Job
	for _, j := range owned {
		switch {
		case hasJobCondition(&j.Status, batchv1.JobComplete):
			good = append(good, j)
		case hasJobCondition(&j.Status, batchv1.JobFailed):
			bad = append(bad, j)
		}
	}
	return append(oldest(good, int(successful)), oldest(bad, int(failed))...)
}

func oldest(jobs []*batchv1.Job, keep int) []*batchv1.Job {
	slices.SortFunc(jobs, func(a, b *batchv1.Job) int {
		return cmp.Or(startOf(a).Compare(startOf(b)), cmp.Compare(a.Name, b.Name))
	})
	return jobs[:max(0, len(jobs)-keep)]
}

func startOf(j *batchv1.Job) time.Time {
	if j.Status.StartTime == nil {
		return j.CreationTimestamp.Time
	}
	return j.Status.StartTime.Time
}
