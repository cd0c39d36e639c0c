package kind

import (
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

// CronJob makes Jobs at times of a schedule.
var CronJob = &Kind{
	GroupVersionKind: batch("CronJob"),
	Resource:         "cronjobs",
	Singular:         "cronjob",
	ShortNames:       []string{"cj"},
	Categories:       []string{"all"},
	Namespaced:       true,
	New:              makes[batchv1.CronJob](),
	NewList:          makes[batchv1.CronJobList](),

	Default:       changes(defaultCronJob),
	PrepareCreate: changes(createCronJob),
	PrepareUpdate: changesOver(updateCronJob),
	PrepareStatus: reporting(cronJobParts),
	HasStatus:     true,

	Validate:       validates(validateCronJob),
	ValidateCreate: validates(validateNewCronJob),
	ValidateUpdate: validatesOver(validateCronJobUpdate),
	Warnings:       warns(cronJobWarnings),

	Columns: []metav1.TableColumnDefinition{
		nameColumn,
		column("Schedule", "string", batchv1.CronJobSpec{}.SwaggerDoc()["schedule"]),
		column("Timezone", "string", batchv1.CronJobSpec{}.SwaggerDoc()["timeZone"]),
		column("Suspend", "boolean", batchv1.CronJobSpec{}.SwaggerDoc()["suspend"]),
		column("Active", "integer", batchv1.CronJobStatus{}.SwaggerDoc()["active"]),
		column("Last Schedule", "string", batchv1.CronJobStatus{}.SwaggerDoc()["lastScheduleTime"]),
		ageColumn,
		templateColumns[0],
		templateColumns[1],
		wide("Selector", batchv1.JobSpec{}.SwaggerDoc()["selector"]),
	},
	Row: prints(func(c *batchv1.CronJob) []any {
		suspend, last := "<unset>", any(none)
		switch {
		case c.Spec.Suspend == nil:
		case *c.Spec.Suspend:
			suspend = "True"
		default:
			suspend = "False"
		}
		if c.Status.LastScheduleTime != nil {
			last = Age(*c.Status.LastScheduleTime)
		}
		cells := []any{c.Name, c.Spec.Schedule, ptr.Deref(c.Spec.TimeZone, none), suspend, int64(len(c.Status.Active)), last, age(c)}
		return append(cells, templateCells(&c.Spec.JobTemplate.Spec.Template.Spec, c.Spec.JobTemplate.Spec.Selector)...)
	}),
}

func cronJobParts(c *batchv1.CronJob) (*batchv1.CronJobSpec, *batchv1.CronJobStatus) {
	return &c.Spec, &c.Status
}

func defaultCronJob(c *batchv1.CronJob) {
	setDefaultText(&c.Spec.ConcurrencyPolicy, batchv1.AllowConcurrent)
	setDefault(&c.Spec.Suspend, false)
	setDefault(&c.Spec.SuccessfulJobsHistoryLimit, 3)
	setDefault(&c.Spec.FailedJobsHistoryLimit, 1)
	defaultJobTemplate(&c.Spec.JobTemplate.Spec)
}

func createCronJob(c *batchv1.CronJob) {
	creating(cronJobParts)(c)
	c.Spec.JobTemplate.Spec.Scheduling = nil
}

func updateCronJob(updated, old *batchv1.CronJob) {
	if old.Spec.JobTemplate.Spec.Scheduling == nil {
		updated.Spec.JobTemplate.Spec.Scheduling = nil
	}
	updating(cronJobParts)(updated, old)
}

func cronJobWarnings(c *batchv1.CronJob) []string {
	warnings := append(hostnameWarnings(c), jobWarnings(&c.Spec.JobTemplate.Spec, field.NewPath("spec", "jobTemplate", "spec"))...)
	if strings.Contains(c.Spec.Schedule, "TZ") {
		warnings = append(warnings, "cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details")
	}
	return warnings
}
