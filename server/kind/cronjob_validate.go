package kind

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"

	"leme/server/cron"
)

// maxCronJobName leaves room for what the names of a CronJob's jobs end with: a dash and a time.
const maxCronJobName = validation.DNS1035LabelMaxLength - 11

func validateCronJob(c *batchv1.CronJob) field.ErrorList {
	path, s := field.NewPath("spec"), &c.Spec
	errs := validateSchedule(s.Schedule, path.Child("schedule"))
	errs = append(errs, nonNegative(path.Child("startingDeadlineSeconds"), s.StartingDeadlineSeconds)...)
	errs = append(errs, oneOf(path.Child("concurrencyPolicy"), s.ConcurrencyPolicy,
		batchv1.AllowConcurrent, batchv1.ForbidConcurrent, batchv1.ReplaceConcurrent)...)
	errs = append(errs, validateCronJobTemplate(&s.JobTemplate.Spec, path.Child("jobTemplate", "spec"))...)
	errs = append(errs, nonNegative(path.Child("successfulJobsHistoryLimit"), s.SuccessfulJobsHistoryLimit)...)
	return append(errs, nonNegative(path.Child("failedJobsHistoryLimit"), s.FailedJobsHistoryLimit)...)
}

func validateSchedule(schedule string, path *field.Path) field.ErrorList {
	if schedule == "" {
		return field.ErrorList{field.Required(path, "")}
	}
	if _, err := cron.Parse(schedule); err != nil {
		return field.ErrorList{field.Invalid(path, schedule, err.Error())}
	}
	return nil
}

// validateCronJobTemplate checks the jobs that will be made. Their selectors are given to them then.
func validateCronJobTemplate(s *batchv1.JobSpec, path *field.Path) field.ErrorList {
	errs := validateJobSpec(s, path)
	if s.Selector != nil {
		errs = append(errs, field.Invalid(path.Child("selector"), s.Selector, "`selector` will be auto-generated"))
	}
	if ptr.Deref(s.ManualSelector, false) {
		errs = append(errs, field.NotSupported(path.Child("manualSelector"), *s.ManualSelector, []string{"nil", "false"}))
	}
	return errs
}

func validateNewCronJob(c *batchv1.CronJob) field.ErrorList {
	path := field.NewPath("spec")
	errs := append(validateNoZone(c.Spec.Schedule, path.Child("schedule")), validateTimeZone(c.Spec.TimeZone, path.Child("timeZone"))...)
	if len(c.Name) > maxCronJobName {
		errs = append(errs, field.Invalid(field.NewPath("metadata", "name"), c.Name, fmt.Sprintf("must be no more than %d characters", maxCronJobName)))
	}
	return errs
}

// validateCronJobUpdate bears a time zone in the schedule where there was one before.
func validateCronJobUpdate(updated, old *batchv1.CronJob) field.ErrorList {
	path, schedule := field.NewPath("spec"), updated.Spec.Schedule
	var errs field.ErrorList
	switch had := strings.Contains(old.Spec.Schedule, "TZ"); {
	case !had:
		errs = validateNoZone(schedule, path.Child("schedule"))
	case strings.Contains(schedule, "TZ") && updated.Spec.TimeZone != nil:
		errs = field.ErrorList{field.Invalid(path.Child("schedule"), schedule, "cannot use both timeZone field and TZ or CRON_TZ in schedule")}
	}
	if ptr.Equal(updated.Spec.TimeZone, old.Spec.TimeZone) {
		return errs
	}
	return append(errs, validateTimeZone(updated.Spec.TimeZone, path.Child("timeZone"))...)
}

func validateNoZone(schedule string, path *field.Path) field.ErrorList {
	if !strings.Contains(schedule, "TZ") {
		return nil
	}
	return field.ErrorList{field.Invalid(path, schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead")}
}

// zonePart is what may stand between the slashes of a time zone's name (https://data.iana.org/time-zones/theory.html),
// and, for older names, digits and +.
var zonePart = regexp.MustCompile(`^[A-Za-z\.\-_0-9+]{1,14}$`)

func validateTimeZone(zone *string, path *field.Path) field.ErrorList {
	if zone == nil {
		return nil
	}
	if *zone == "" {
		return field.ErrorList{field.Invalid(path, *zone, "timeZone must be nil or non-empty string")}
	}
	for part := range strings.SplitSeq(*zone, "/") {
		if part == "." || part == ".." || strings.HasPrefix(part, "-") || !zonePart.MatchString(part) {
			return field.ErrorList{field.Invalid(path, *zone, "unknown time zone "+*zone)}
		}
	}
	var errs field.ErrorList
	if strings.EqualFold(*zone, "Local") {
		errs = append(errs, field.Invalid(path, *zone, "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"))
	}
	if _, err := time.LoadLocation(*zone); err != nil {
		errs = append(errs, field.Invalid(path, *zone, err.Error()))
	}
	return errs
}
