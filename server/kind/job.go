package kind

import (
	"fmt"
	"maps"
	"math"
	"strconv"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

// Job runs pods until enough of them have succeeded.
var Job = &Kind{
	GroupVersionKind: batch("Job"),
	Resource:         "jobs",
	Singular:         "job",
	Categories:       []string{"all"},
	Namespaced:       true,
	New:              makes[batchv1.Job](),
	NewList:          makes[batchv1.JobList](),

	Default:       changes(defaultJob),
	PrepareCreate: changes(createJob),
	PrepareUpdate: changesOver(updateJob),
	PrepareStatus: reporting(jobParts),
	HasStatus:     true,
	Orphans:       true,

	Validate:       validates(validateJob),
	ValidateUpdate: validatesOver(validateJobUpdate),
	ValidateStatus: validatesOver(validateJobStatus),
	Warnings: warns(func(j *batchv1.Job) []string {
		return append(hostnameWarnings(j), jobWarnings(&j.Spec, field.NewPath("spec"))...)
	}),

	Fields:      valuesOf(jobFields),
	FieldLabels: labelsOf(jobFields),
	Columns: []metav1.TableColumnDefinition{
		nameColumn,
		column("Status", "string", "Status of the job."),
		column("Completions", "string", batchv1.JobStatus{}.SwaggerDoc()["succeeded"]),
		column("Duration", "string", "Time required to complete the job."),
		ageColumn,
		templateColumns[0],
		templateColumns[1],
		wide("Selector", batchv1.JobSpec{}.SwaggerDoc()["selector"]),
	},
	Row: prints(func(j *batchv1.Job) []any {
		cells := []any{j.Name, jobState(j), completionsText(j), jobDuration(j), age(j)}
		return append(cells, templateCells(&j.Spec.Template.Spec, j.Spec.Selector)...)
	}),
}

func batch(name string) schema.GroupVersionKind { return batchv1.SchemeGroupVersion.WithKind(name) }

var jobFields = []selectable[*batchv1.Job]{
	{"status.successful", func(j *batchv1.Job) string { return strconv.Itoa(int(j.Status.Succeeded)) }},
}

func jobParts(j *batchv1.Job) (*batchv1.JobSpec, *batchv1.JobStatus) { return &j.Spec, &j.Status }

func defaultJob(j *batchv1.Job) {
	s := &j.Spec
	if s.Completions == nil && s.Parallelism == nil {
		setDefault(&s.Completions, 1)
	}
	setDefault(&s.Parallelism, 1)
	limit := int32(6)
	if s.BackoffLimitPerIndex != nil { // they count alone
		limit = math.MaxInt32
	}
	setDefault(&s.BackoffLimit, limit)
	if len(j.Labels) == 0 && s.Template.Labels != nil {
		j.Labels = maps.Clone(s.Template.Labels)
	}
	setDefault(&s.CompletionMode, batchv1.NonIndexedCompletion)
	setDefault(&s.Suspend, false)
	replacement := batchv1.TerminatingOrFailed
	if s.PodFailurePolicy != nil {
		replacement = batchv1.Failed
	}
	setDefault(&s.PodReplacementPolicy, replacement)
	setDefault(&s.ManualSelector, false)
	defaultJobTemplate(s)
}

// defaultJobTemplate fills in what a CronJob's job has filled in before it is made, too.
func defaultJobTemplate(s *batchv1.JobSpec) {
	if s.PodFailurePolicy != nil {
		for _, rule := range s.PodFailurePolicy.Rules {
			for i := range rule.OnPodConditions {
				setDefaultText(&rule.OnPodConditions[i].Status, corev1.ConditionTrue)
			}
		}
	}
	defaultPodSpec(&s.Template.Spec)
}

func createJob(j *batchv1.Job) {
	if !ptr.Deref(j.Spec.ManualSelector, false) {
		selectOwnPods(j)
	}
	j.Status = batchv1.JobStatus{}
	j.Generation = 1
	j.Spec.Scheduling = nil
}

// updateJob leaves out, as createJob does, what Kubernetes v1.37 has switched off: gangs.
func updateJob(updated, old *batchv1.Job) {
	updated.Status = old.Status
	if old.Spec.Scheduling == nil {
		updated.Spec.Scheduling = nil
	}
	updated.Generation = old.Generation
	if !equality.Semantic.DeepEqual(updated.Spec, old.Spec) {
		updated.Generation++
	}
}

// The labels by which a job's pods are found, and their older names.
const (
	legacyJobName       = "job-name"
	legacyControllerUID = "controller-uid"
)

// jobLabels are those that each of a job's pods has.
func jobLabels(j *batchv1.Job) map[string]string {
	return map[string]string{
		legacyJobName: j.Name, batchv1.JobNameLabel: j.Name,
		legacyControllerUID: string(j.UID), batchv1.ControllerUidLabel: string(j.UID),
	}
}

// selectOwnPods gives a job labels and a selector that no other job has. What is there is left alone, and refused
// later where it is wrong.
func selectOwnPods(j *batchv1.Job) {
	own := jobLabels(j)
	if j.Spec.Template.Labels == nil {
		j.Spec.Template.Labels = map[string]string{}
	}
	for name, value := range own {
		if _, taken := j.Spec.Template.Labels[name]; !taken {
			j.Spec.Template.Labels[name] = value
		}
	}
	if j.Spec.Selector == nil {
		j.Spec.Selector = &metav1.LabelSelector{}
	}
	if j.Spec.Selector.MatchLabels == nil {
		j.Spec.Selector.MatchLabels = map[string]string{}
	}
	if _, taken := j.Spec.Selector.MatchLabels[batchv1.ControllerUidLabel]; !taken {
		j.Spec.Selector.MatchLabels[batchv1.ControllerUidLabel] = string(j.UID)
	}
}

// jobState is the first that holds of a job, in words.
func jobState(j *batchv1.Job) string {
	has := func(t batchv1.JobConditionType) bool { return jobCondition(j, t) }
	switch {
	case has(batchv1.JobComplete):
		return "Complete"
	case has(batchv1.JobFailed):
		return "Failed"
	case j.DeletionTimestamp != nil:
		return "Terminating"
	case has(batchv1.JobSuspended):
		return "Suspended"
	case has(batchv1.JobFailureTarget):
		return "FailureTarget"
	case has(batchv1.JobSuccessCriteriaMet):
		return "SuccessCriteriaMet"
	}
	return "Running"
}

func completionsText(j *batchv1.Job) string {
	switch parallel := ptr.Deref(j.Spec.Parallelism, 0); {
	case j.Spec.Completions != nil:
		return fmt.Sprintf("%d/%d", j.Status.Succeeded, *j.Spec.Completions)
	case parallel > 1:
		return fmt.Sprintf("%d/1 of %d", j.Status.Succeeded, parallel)
	}
	return fmt.Sprintf("%d/1", j.Status.Succeeded)
}

// jobDuration is how long a job has run by now, or took.
func jobDuration(j *batchv1.Job) any {
	switch {
	case j.Status.StartTime == nil:
		return ""
	case j.Status.CompletionTime == nil:
		return Age(*j.Status.StartTime)
	}
	return duration.HumanDuration(j.Status.CompletionTime.Sub(j.Status.StartTime.Time))
}
