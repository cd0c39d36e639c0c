package kind

import (
	"slices"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

type (
	job     = *batchv1.Job
	cronJob = *batchv1.CronJob
)

func baseJob() job {
	j := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: "sum", UID: "u"},
		Spec: batchv1.JobSpec{Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
			RestartPolicy: "Never", Containers: []corev1.Container{{Name: "main", Image: "sum"}},
		}}},
	}
	defaultJob(j)
	createJob(j)
	return j
}

func baseIndexed() job {
	j := baseJob()
	j.Spec.CompletionMode, j.Spec.Completions, j.Spec.BackoffLimitPerIndex = pointsTo(batchv1.IndexedCompletion), pointsTo(int32(5)), pointsTo(int32(1))
	return j
}

func TestJob(t *testing.T) {
	checkChanges(t, Job, baseJob, []change[job]{
		{"restarts", func(j job) { j.Spec.Template.Spec.RestartPolicy = "Always" }, []string{"spec.template.spec.restartPolicy" + isRequired}},
		{"another's pods", func(j job) { j.Spec.Template.Labels["job-name"] = "x" }, []string{"spec.template.metadata.labels[job-name]" + isInvalid}},
		{"another's selector", func(j job) { j.Spec.Selector.MatchLabels = map[string]string{"a": "b"} }, []string{
			"spec.selector" + isInvalid, "spec.template.metadata.labels" + isInvalid}},
		{"per index", func(j job) { j.Spec.BackoffLimitPerIndex = pointsTo(int32(1)) }, []string{"spec.backoffLimitPerIndex" + isInvalid}},
		{"managed", func(j job) { j.Spec.ManagedBy = pointsTo("me") }, []string{"spec.managedBy" + isInvalid}},
		{"replacement", func(j job) { j.Spec.PodReplacementPolicy = pointsTo(batchv1.PodReplacementPolicy("x")) }, []string{"spec.podReplacementPolicy" + isNotSupported}},
		{"success policy", func(j job) { j.Spec.SuccessPolicy = &batchv1.SuccessPolicy{} }, []string{"spec.successPolicy" + isInvalid}},
	})
	policy := func(rules ...batchv1.PodFailurePolicyRule) func(job) {
		return func(j job) {
			j.Spec.PodFailurePolicy = &batchv1.PodFailurePolicy{Rules: rules}
			j.Spec.PodReplacementPolicy = pointsTo(batchv1.Failed)
		}
	}
	codes := func(operator string, values ...int32) *batchv1.PodFailurePolicyOnExitCodesRequirement {
		return &batchv1.PodFailurePolicyOnExitCodesRequirement{Operator: batchv1.PodFailurePolicyOnExitCodesOperator(operator), Values: values}
	}
	at := "spec.podFailurePolicy.rules[0]"
	success := func(rule batchv1.SuccessPolicyRule) func(job) {
		return func(j job) { j.Spec.SuccessPolicy = &batchv1.SuccessPolicy{Rules: []batchv1.SuccessPolicyRule{rule}} }
	}
	checkChanges(t, Job, baseIndexed, []change[job]{
		{"no completions", func(j job) { j.Spec.Completions = nil }, []string{"spec.completions" + isRequired}},
		{"name", func(j job) { j.Name = strings.Repeat("x", 63) }, []string{
			"spec.template.metadata.labels[job-name]" + isInvalid,
			"spec.template.metadata.labels[batch.kubernetes.io/job-name]" + isInvalid, "metadata.name" + isInvalid}},
		{"many", func(j job) { j.Spec.Completions = pointsTo(int32(100_001)) }, []string{"spec.maxFailedIndexes" + isRequired}},
		{"rule", policy(batchv1.PodFailurePolicyRule{Action: "FailIndex", OnExitCodes: codes("In", 1, 2)}), nil},
		{"rule without cause", policy(batchv1.PodFailurePolicyRule{Action: "Ignore"}), []string{at + isInvalid}},
		{"codes", policy(batchv1.PodFailurePolicyRule{Action: "Count", OnExitCodes: codes("In", 2, 0, 2)}), []string{
			at + ".onExitCodes.values[1]" + isInvalid, at + ".onExitCodes.values[2]" + isDuplicate, at + ".onExitCodes.values" + isInvalid}},
		{"action", policy(batchv1.PodFailurePolicyRule{Action: "x", OnExitCodes: codes("NotIn", 0)}), []string{at + ".action" + isNotSupported}},
		{"success", success(batchv1.SuccessPolicyRule{SucceededIndexes: pointsTo("0,2-4"), SucceededCount: pointsTo(int32(4))}), nil},
		{"success of too many", success(batchv1.SuccessPolicyRule{SucceededIndexes: pointsTo("0,2"), SucceededCount: pointsTo(int32(3))}),
			[]string{"spec.successPolicy.rules[0].succeededCount" + isInvalid}},
		{"success of none", success(batchv1.SuccessPolicyRule{SucceededIndexes: pointsTo("7")}), []string{"spec.successPolicy.rules[0].succeededIndexes" + isInvalid}},
	})
	checkUpdates(t, Job, baseJob, []change[job]{
		{"parallelism", func(j job) { j.Spec.Parallelism = pointsTo(int32(4)) }, nil},
		{"completions", func(j job) { j.Spec.Completions = pointsTo(int32(4)) }, []string{"spec.completions" + isInvalid}},
		{"template", func(j job) { j.Spec.Template.Spec.NodeSelector = map[string]string{"a": "b"} }, []string{"spec.template" + isInvalid}},
	})
	suspended := func() job {
		j := baseIndexed()
		j.Spec.Suspend = pointsTo(true)
		return j
	}
	checkUpdates(t, Job, suspended, []change[job]{
		{"where to", func(j job) { j.Spec.Template.Spec.NodeSelector = map[string]string{"a": "b"} }, nil},
		{"what for", func(j job) { j.Spec.Template.Spec.Containers[0].Resources.Limits = amounts("1", "1Mi") }, nil},
		{"image", func(j job) { j.Spec.Template.Spec.Containers[0].Image = "x" }, []string{"spec.template.spec" + isInvalid}},
		{"size", func(j job) { j.Spec.Completions, j.Spec.Parallelism = pointsTo(int32(7)), pointsTo(int32(7)) }, nil},
		{"size alone", func(j job) { j.Spec.Completions = pointsTo(int32(7)) }, []string{"spec.completions" + isInvalid}},
	})
}

func TestJobStatus(t *testing.T) {
	is := func(t batchv1.JobConditionType) batchv1.JobCondition {
		return batchv1.JobCondition{Type: t, Status: corev1.ConditionTrue}
	}
	now := pointsTo(ago(0))
	running := baseIndexed()
	running.Status = batchv1.JobStatus{StartTime: pointsTo(ago(time.Minute)), Active: 2, Failed: 1, CompletedIndexes: "0", Succeeded: 1}
	for _, tt := range []struct {
		name   string
		mutate func(*batchv1.JobStatus)
		want   []string
	}{
		{"done", func(s *batchv1.JobStatus) {
			s.Active, s.CompletionTime = 0, now
			s.Conditions = []batchv1.JobCondition{is(batchv1.JobSuccessCriteriaMet), is(batchv1.JobComplete)}
		}, nil},
		{"done without having met", func(s *batchv1.JobStatus) {
			s.Active, s.CompletionTime, s.Conditions = 0, now, []batchv1.JobCondition{is(batchv1.JobComplete)}
		}, []string{"status.conditions" + isInvalid}},
		{"failed with pods", func(s *batchv1.JobStatus) {
			s.Conditions = []batchv1.JobCondition{is(batchv1.JobFailureTarget), is(batchv1.JobFailed)}
		}, []string{"status.active" + isInvalid}},
		{"completed early", func(s *batchv1.JobStatus) { s.CompletionTime = now }, []string{"status.completionTime" + isInvalid}},
		{"fewer failures", func(s *batchv1.JobStatus) { s.Failed = 0 }, []string{"status.failed" + isInvalid}},
		{"both", func(s *batchv1.JobStatus) { s.FailedIndexes = pointsTo("0-2") }, []string{"status.failedIndexes" + isInvalid}},
		{"no index", func(s *batchv1.JobStatus) { s.CompletedIndexes = "9" }, []string{"status.completedIndexes" + isInvalid}},
		{"another start", func(s *batchv1.JobStatus) { s.StartTime = now }, []string{"status.startTime" + isInvalid}},
		{"counted twice", func(s *batchv1.JobStatus) {
			s.UncountedTerminatedPods = &batchv1.UncountedTerminatedPods{Succeeded: []types.UID{"a"}, Failed: []types.UID{"a"}}
		}, []string{"status.uncountedTerminatedPods.failed[0]" + isDuplicate}},
		{"more ready than there are", func(s *batchv1.JobStatus) { s.Ready = pointsTo(int32(3)) }, []string{"status.ready" + isInvalid}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			updated := running.DeepCopy()
			tt.mutate(&updated.Status)
			if got := causes(Job.ValidateStatus(updated, running)); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	if cells := printed(Job.Row(running)); strings.Join(cells[:4], "|") != "sum|Running|1/5|60s" {
		t.Errorf("got %q", cells)
	}
}

func TestCronJob(t *testing.T) {
	base := func() cronJob {
		return &batchv1.CronJob{Spec: batchv1.CronJobSpec{
			Schedule: "*/5 * * * *", JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: baseJob().Spec.Template}},
		}}
	}
	checkChanges(t, CronJob, base, []change[cronJob]{
		{"no schedule", func(c cronJob) { c.Spec.Schedule = "" }, []string{"spec.schedule" + isRequired}},
		{"schedule", func(c cronJob) { c.Spec.Schedule = "every day" }, []string{"spec.schedule" + isInvalid}},
		{"policy", func(c cronJob) { c.Spec.ConcurrencyPolicy = "x" }, []string{"spec.concurrencyPolicy" + isNotSupported}},
		{"selector", func(c cronJob) { c.Spec.JobTemplate.Spec.Selector = &metav1.LabelSelector{} }, []string{"spec.jobTemplate.spec.selector" + isInvalid}},
		{"manual", func(c cronJob) { c.Spec.JobTemplate.Spec.ManualSelector = pointsTo(true) }, []string{"spec.jobTemplate.spec.manualSelector" + isNotSupported}},
	})
	for name, tt := range map[string]struct {
		mutate func(cronJob)
		want   []string
	}{
		"zone":          {func(c cronJob) { c.Spec.TimeZone = pointsTo("Europe/Berlin") }, nil},
		"no such zone":  {func(c cronJob) { c.Spec.TimeZone = pointsTo("Europe/Nowhere") }, []string{"spec.timeZone" + isInvalid}},
		"local":         {func(c cronJob) { c.Spec.TimeZone = pointsTo("Local") }, []string{"spec.timeZone" + isInvalid}},
		"a file":        {func(c cronJob) { c.Spec.TimeZone = pointsTo("../etc/passwd") }, []string{"spec.timeZone" + isInvalid}},
		"zone and time": {func(c cronJob) { c.Spec.Schedule = "TZ=UTC 0 0 * * *" }, []string{"spec.schedule" + isInvalid}},
		"name":          {func(c cronJob) { c.Name = strings.Repeat("x", 53) }, []string{"metadata.name" + isInvalid}},
	} {
		c := base()
		tt.mutate(c)
		if got := causes(CronJob.ValidateCreate(c)); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}
