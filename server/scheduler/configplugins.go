package scheduler

import (
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
	configv1 "k8s.io/kube-scheduler/config/v1"
	"k8s.io/utils/ptr"
)

const preempting = "DefaultPreemption"

// always-on plugins: without them no pod would be placed.
var indispensable = []string{"SchedulingGates", "PrioritySort", "DefaultBinder"}

// points are the extension points at which plugins can be changed. Filters and scores have no parts that could be changed
// on their own.
var points = []string{"multiPoint", "filter", "score", "postFilter"}

// takePlugins enables and disables filters and scores, and changes weights, as kube-scheduler merges such sets with
// its defaults.
func (p *profile) takePlugins(file *configv1.Plugins, at *field.Path) field.ErrorList {
	errs := checkPlugins(file, at)
	if len(errs) > 0 {
		return errs
	}
	names := map[string]int64{preempting: 1}
	for _, f := range p.filters {
		names[f.name] = 1
	}
	for _, s := range p.scores {
		names[s.name] = s.weight
	}
	all := merged(names, file.MultiPoint)
	on := merged(all, file.Filter)
	p.filters = slices.DeleteFunc(p.filters, func(f *filter) bool { return on[f.name] == 0 })
	weights := merged(all, file.Score)
	p.scores = slices.DeleteFunc(p.scores, func(s weightedScore) bool { return weights[s.name] == 0 })
	for i := range p.scores {
		p.scores[i].weight = weights[p.scores[i].name]
	}
	p.preempt = merged(all, file.PostFilter)[preempting] != 0
	return nil
}

// merged is a set of plugins with their weights after what a configuration changes of it.
func merged(names map[string]int64, set configv1.PluginSet) map[string]int64 {
	result := make(map[string]int64, len(names))
	for name, weight := range names {
		off := slices.ContainsFunc(set.Disabled, func(d configv1.Plugin) bool { return d.Name == "*" || d.Name == name })
		if !off {
			result[name] = weight
		}
	}
	for _, e := range set.Enabled {
		result[e.Name] = max(1, int64(ptr.Deref(e.Weight, 1)))
	}
	return result
}

// checkPlugins finds what cannot be changed.
func checkPlugins(file *configv1.Plugins, at *field.Path) (errs field.ErrorList) {
	v := reflect.ValueOf(*file)
	for i := range v.NumField() {
		set := v.Field(i).Interface().(configv1.PluginSet)
		point, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		if len(set.Enabled)+len(set.Disabled) > 0 && !slices.Contains(points, point) {
			errs = append(errs, field.Forbidden(at.Child(point), "plugins are changed at "+strings.Join(points, ", ")))
		}
		for j, e := range set.Enabled {
			if !known(e.Name) {
				errs = append(errs, field.NotSupported(at.Child(point, "enabled").Index(j).Child("name"), e.Name, pluginNames()))
			}
		}
		for j, d := range set.Disabled {
			if slices.Contains(indispensable, d.Name) {
				errs = append(errs, field.Forbidden(at.Child(point, "disabled").Index(j).Child("name"), "pods are not scheduled without it"))
			}
		}
	}
	return errs
}

func known(name string) bool {
	return slices.Contains(pluginNames(), name) || slices.Contains(indispensable, name)
}

// pluginNames are the plugins that can be on or off.
func pluginNames() []string {
	names := []string{preempting}
	for _, f := range filters {
		names = append(names, f.name)
	}
	for _, s := range scores {
		names = append(names, s.name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
