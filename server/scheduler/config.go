package scheduler

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	configv1 "k8s.io/kube-scheduler/config/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"
)

// Config is which schedulers there are and how they decide. Nil is one by the default name with kube-scheduler's
// defaults.
type Config struct {
	profiles                  []*profile
	firstBackoff, lastBackoff time.Duration
}

func defaultConfig() *Config {
	return &Config{profiles: []*profile{newProfile(corev1.DefaultSchedulerName)}, firstBackoff: firstBackoff, lastBackoff: lastBackoff}
}

// LoadConfig reads a KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1), YAML or JSON. What it asks for that
// cannot be had is an error. How the scheduler reaches the API and who leads is the server's matter: leaderElection,
// clientConnection, parallelism and profiling are left aside.
func LoadConfig(path string) (*Config, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the scheduler's configuration: %w", err)
	}
	c, err := parseConfig(raw)
	if err != nil {
		return nil, fmt.Errorf("the scheduler's configuration %s: %w", path, err)
	}
	return c, nil
}

func parseConfig(raw []byte) (*Config, error) {
	var file configv1.KubeSchedulerConfiguration
	if err := yaml.UnmarshalStrict(raw, &file); err != nil {
		return nil, err
	}
	if gvk := file.GroupVersionKind(); gvk.GroupVersion() != configv1.SchemeGroupVersion || gvk.Kind != "KubeSchedulerConfiguration" {
		return nil, fmt.Errorf("is %s, and must be a KubeSchedulerConfiguration of %s", gvk, configv1.SchemeGroupVersion)
	}
	c := defaultConfig()
	var errs field.ErrorList
	if len(file.Extenders) > 0 {
		errs = append(errs, field.Forbidden(field.NewPath("extenders"), "other programs are not asked"))
	}
	errs = append(errs, c.takeBackoff(&file)...)
	errs = append(errs, checkPercentage(file.PercentageOfNodesToScore, field.NewPath("percentageOfNodesToScore"))...)
	if len(file.Profiles) > 0 {
		c.profiles = nil
	}
	for i := range file.Profiles {
		at := field.NewPath("profiles").Index(i)
		p, more := parseProfile(&file.Profiles[i], len(file.Profiles), at)
		errs = append(errs, more...)
		if slices.ContainsFunc(c.profiles, func(q *profile) bool { return q.name == p.name }) {
			errs = append(errs, field.Duplicate(at.Child("schedulerName"), p.name))
		}
		c.profiles = append(c.profiles, p)
	}
	for _, p := range c.profiles {
		p.percentage = cmp.Or(p.percentage, int(ptr.Deref(file.PercentageOfNodesToScore, 0)))
	}
	return c, errs.ToAggregate()
}

func (c *Config) takeBackoff(file *configv1.KubeSchedulerConfiguration) (errs field.ErrorList) {
	first, last := ptr.Deref(file.PodInitialBackoffSeconds, 1), ptr.Deref(file.PodMaxBackoffSeconds, 10)
	if first <= 0 {
		errs = append(errs, field.Invalid(field.NewPath("podInitialBackoffSeconds"), first, "must be greater than 0"))
	}
	if last < first {
		errs = append(errs, field.Invalid(field.NewPath("podMaxBackoffSeconds"), last, "must be greater than or equal to PodInitialBackoffSeconds"))
	}
	c.firstBackoff, c.lastBackoff = time.Duration(first)*time.Second, time.Duration(last)*time.Second
	return errs
}

func checkPercentage(percent *int32, at *field.Path) field.ErrorList {
	if percent != nil && (*percent < 0 || *percent > 100) {
		return field.ErrorList{field.Invalid(at, *percent, "not in valid range [0-100]")}
	}
	return nil
}

func parseProfile(file *configv1.KubeSchedulerProfile, of int, at *field.Path) (*profile, field.ErrorList) {
	name := ptr.Deref(file.SchedulerName, "")
	if name == "" && of == 1 {
		name = corev1.DefaultSchedulerName
	}
	p := newProfile(name)
	var errs field.ErrorList
	if name == "" {
		errs = append(errs, field.Required(at.Child("schedulerName"), ""))
	}
	errs = append(errs, checkPercentage(file.PercentageOfNodesToScore, at.Child("percentageOfNodesToScore"))...)
	p.percentage = int(ptr.Deref(file.PercentageOfNodesToScore, 0))
	if file.Plugins != nil {
		errs = append(errs, p.takePlugins(file.Plugins, at.Child("plugins"))...)
	}
	errs = append(errs, p.takeArgs(file.PluginConfig, at.Child("pluginConfig"))...)
	return p, errs
}
