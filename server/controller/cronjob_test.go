package controller

import (
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"leme/server/cron"
)

// testCron is due every quarter of an hour; now is noon.
func testCron(mutate ...func(*batchv1.CronJob)) *batchv1.CronJob {
	c := &batchv1.CronJob{Spec: batchv1.CronJobSpec{Schedule: "*/15 * * * *", ConcurrencyPolicy: batchv1.AllowConcurrent, TimeZone: ptr.To("Etc/UTC")}}
	c.Name, c.CreationTimestamp = "sum", ago(time.Minute)
	for _, m := range mutate {
		m(c)
	}
	return c
}

func runs(name string) func(*batchv1.CronJob) {
	return func(c *batchv1.CronJob) {
		c.Status.Active = append(c.Status.Active, corev1.ObjectReference{Name: name, UID: types.UID(name)})
	}
}

func cronRun(name string, ended batchv1.JobConditionType, started time.Duration) *batchv1.Job {
	j := &batchv1.Job{}
	j.Name, j.UID = name, types.UID(name)
	j.Status.StartTime = ptr.To(ago(started))
	if ended != "" {
		j.Status.Conditions = []batchv1.JobCondition{*newJobCondition(ended, "", "", testNow)}
		j.Status.CompletionTime = ptr.To(ago(started - time.Second))
	}
	return j
}

// dueRun is a Job that the CronJob has made for some time ago.
func dueRun(t *testing.T, before time.Duration, ended batchv1.JobConditionType) *batchv1.Job {
	t.Helper()
	made, err := jobOfCron(testCron(), testNow.Add(-before))
	if err != nil {
		t.Fatal(err)
	}
	j := cronRun(made.Name, ended, before+time.Minute)
	j.Annotations = made.Annotations
	return j
}

func TestPlanCronJob(t *testing.T) {
	scheduled := func(before time.Duration) func(*batchv1.CronJob) {
		return func(c *batchv1.CronJob) { c.Status.LastScheduleTime = ptr.To(ago(before)) }
	}
	policy := func(p batchv1.ConcurrencyPolicy) func(*batchv1.CronJob) {
		return func(c *batchv1.CronJob) { c.Spec.ConcurrencyPolicy = p }
	}
	young := func(c *batchv1.CronJob) { c.CreationTimestamp = ago(0) }
	for _, test := range []struct {
		name string
		cron *batchv1.CronJob
		jobs []*batchv1.Job
		want string
	}{
		{"due", testCron(), nil, "create for 12:00:00"},
		{"done already", testCron(scheduled(0)), nil, ""},
		{"not yet", testCron(young), nil, ""},
		{"missed some", testCron(scheduled(2 * time.Hour)), nil, "create for 12:00:00"},
		{"missed very many", testCron(scheduled(10_000 * time.Hour)), nil, "create for 12:00:00, TooManyMissedTimes"},
		{"too late", testCron(func(c *batchv1.CronJob) {
			c.Spec.Schedule, c.Spec.StartingDeadlineSeconds = "50 11 * * *", ptr.To[int64](60)
		}), nil, ""},
		{"in time", testCron(func(c *batchv1.CronJob) {
			c.Spec.Schedule, c.Spec.StartingDeadlineSeconds, c.CreationTimestamp = "50 11 * * *", ptr.To[int64](601), ago(24*time.Hour)
		}), nil, "create for 11:50:00"},
		{"suspended", testCron(func(c *batchv1.CronJob) { c.Spec.Suspend = ptr.To(true) }), nil, ""},
		{"another zone", testCron(func(c *batchv1.CronJob) { c.Spec.Schedule, c.Spec.TimeZone = "0 21 * * *", ptr.To("Asia/Tokyo") }), nil, "create for 12:00:00"},
		{"a zone that there is not", testCron(func(c *batchv1.CronJob) { c.Spec.TimeZone = ptr.To("Atlantis") }), nil, "UnknownTimeZone"},
		{"a zone in the schedule", testCron(func(c *batchv1.CronJob) { c.Spec.Schedule = "TZ=Asia/Tokyo 0 21 * * *" }), nil, "create for 12:00:00, UnsupportedSchedule"},
		{"made, and not written down", testCron(), []*batchv1.Job{dueRun(t, 0, "")}, ""},
		{"made, not written down, and ended", testCron(), []*batchv1.Job{dueRun(t, 0, batchv1.JobComplete)}, ""},
		{"one runs that was not written down, forbidden", testCron(policy(batchv1.ForbidConcurrent), scheduled(time.Hour)),
			[]*batchv1.Job{dueRun(t, 15*time.Minute, "")}, "JobAlreadyActive"},
		{"no schedule", testCron(func(c *batchv1.CronJob) { c.Spec.Schedule = "x" }), nil, "UnparseableSchedule"},
		{"one runs", testCron(runs("a")), []*batchv1.Job{cronRun("a", "", time.Hour)}, "create for 12:00:00"},
		{"one runs, forbidden", testCron(runs("a"), policy(batchv1.ForbidConcurrent)), []*batchv1.Job{cronRun("a", "", time.Hour)}, "JobAlreadyActive"},
		{"one runs, replaced", testCron(runs("a"), policy(batchv1.ReplaceConcurrent)), []*batchv1.Job{cronRun("a", "", time.Hour)}, "replace a, create for 12:00:00"},
		{"one has ended", testCron(young, runs("a")), []*batchv1.Job{cronRun("a", batchv1.JobComplete, time.Hour)}, "SawCompletedJob"},
		{"one is gone", testCron(young, runs("a")), nil, "MissingJob"},
		{"one by hand", testCron(young), []*batchv1.Job{cronRun("a", "", time.Hour)}, "UnexpectedJob"},
		{"history", testCron(young), []*batchv1.Job{
			cronRun("a", batchv1.JobComplete, 4*time.Hour), cronRun("b", batchv1.JobComplete, 5*time.Hour), cronRun("c", batchv1.JobComplete, time.Hour),
			cronRun("d", batchv1.JobComplete, time.Hour), cronRun("e", batchv1.JobFailed, time.Hour), cronRun("f", batchv1.JobFailed, 2*time.Hour),
		}, "remove b, remove f"},
	} {
		t.Run(test.name, func(t *testing.T) {
			plan := planCronJob(test.cron, test.jobs, testNow)
			if got := plan.String(); got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
	plan := planCronJob(testCron(young, runs("a")), []*batchv1.Job{cronRun("a", batchv1.JobComplete, time.Hour)}, testNow)
	if plan.again != 15*time.Minute || len(plan.status.Active) != 0 || plan.status.LastSuccessfulTime == nil {
		t.Errorf("got %+v", plan)
	}
	job, err := jobOfCron(testCron(), testNow.Local())
	if err != nil || job.Name != "sum-31558320" || job.Annotations[batchv1.CronJobScheduledTimestampAnnotation] != "2030-01-01T12:00:00Z" {
		t.Errorf("got %+v, %v", job.ObjectMeta, err)
	}
	tokyo, err := jobOfCron(testCron(func(c *batchv1.CronJob) { c.Spec.TimeZone = ptr.To("Asia/Tokyo") }), testNow)
	if err != nil || tokyo.Annotations[batchv1.CronJobScheduledTimestampAnnotation] != "2030-01-01T21:00:00+09:00" {
		t.Errorf("got %+v, %v", tokyo.ObjectMeta, err)
	}
}

func TestLastDueIsTheLast(t *testing.T) {
	for _, text := range []string{"* * * * *", "0 9 * * 1-5", "0 0 1 1 *", "*/7 3 29 2 *", "@every 90m"} {
		s, err := cron.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		from := testNow.Add(-400 * 24 * time.Hour)
		var want time.Time
		for next := s.Next(from); !next.IsZero() && !next.After(testNow); next = s.Next(next) {
			want = next
		}
		if got, _ := lastDue(s, from, testNow); !got.Equal(want) {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
}
