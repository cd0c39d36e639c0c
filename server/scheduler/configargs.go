package scheduler

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	configv1 "k8s.io/kube-scheduler/config/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"
)

// takeArgs takes the arguments of plugins.
func (p *profile) takeArgs(all []configv1.PluginConfig, at *field.Path) (errs field.ErrorList) {
	seen := make(map[string]bool)
	for i := range all {
		here := at.Index(i)
		if seen[all[i].Name] {
			errs = append(errs, field.Duplicate(here, all[i].Name))
		}
		seen[all[i].Name] = true
		errs = append(errs, p.takeArg(&all[i], here)...)
	}
	return errs
}

func (p *profile) takeArg(one *configv1.PluginConfig, at *field.Path) field.ErrorList {
	raw, at := one.Args.Raw, at.Child("args")
	switch one.Name {
	case "NodeResourcesFit":
		return parsed(raw, at, p.takeFit)
	case "NodeResourcesBalancedAllocation":
		return parsed(raw, at, p.takeBalanced)
	case "PodTopologySpread":
		return parsed(raw, at, p.takeSpread)
	case "InterPodAffinity":
		return parsed(raw, at, p.takePodAffinity)
	case "NodeAffinity":
		return parsed(raw, at, p.takeNodeAffinity)
	case "VolumeBinding":
		return parsed(raw, at, p.takeVolumeBinding)
	case preempting:
		return parsed(raw, at, p.takePreemption)
	}
	return field.ErrorList{field.Invalid(at, one.Name, "takes no arguments")}
}

// parsed reads arguments and hands them on.
func parsed[T any](raw json.RawMessage, at *field.Path, take func(*T, *field.Path) field.ErrorList) field.ErrorList {
	args := new(T)
	if len(raw) > 0 {
		if err := yaml.UnmarshalStrict(raw, args); err != nil {
			return field.ErrorList{field.Invalid(at, string(raw), err.Error())}
		}
	}
	return take(args, at)
}

func (p *profile) takeFit(args *configv1.NodeResourcesFitArgs, at *field.Path) (errs field.ErrorList) {
	for i, group := range args.IgnoredResourceGroups {
		if strings.Contains(group, "/") {
			errs = append(errs, field.Invalid(at.Child("ignoredResourceGroups").Index(i), group, "resource group name can't contain '/'"))
		}
	}
	p.ignored = func(name corev1.ResourceName) bool {
		group, _, _ := strings.Cut(string(name), "/")
		return slices.Contains(args.IgnoredResources, string(name)) || slices.Contains(args.IgnoredResourceGroups, group)
	}
	strategy := args.ScoringStrategy
	if strategy == nil {
		return errs
	}
	at = at.Child("scoringStrategy")
	ratio := strategy.RequestedToCapacityRatio
	switch strategy.Type {
	case "", configv1.LeastAllocated:
	case configv1.MostAllocated:
		p.fit.most = true
	case configv1.RequestedToCapacityRatio:
		if ratio == nil || len(ratio.Shape) == 0 {
			return append(errs, field.Required(at.Child("requestedToCapacityRatio"), "must be specified when type is RequestedToCapacityRatio"))
		}
		var more field.ErrorList
		p.fit.shape, more = shapeOf(ratio.Shape, at.Child("requestedToCapacityRatio", "shape"))
		errs = append(errs, more...)
	default:
		return append(errs, field.NotSupported(at.Child("type"), strategy.Type,
			[]configv1.ScoringStrategyType{configv1.LeastAllocated, configv1.MostAllocated, configv1.RequestedToCapacityRatio}))
	}
	if ratio != nil && strategy.Type != configv1.RequestedToCapacityRatio {
		errs = append(errs, field.Forbidden(at.Child("requestedToCapacityRatio"), "must be nil when type is not RequestedToCapacityRatio"))
	}
	if len(strategy.Resources) > 0 {
		var more field.ErrorList
		p.fit.resources, more = weighedOf(strategy.Resources, 100, at.Child("resources"))
		errs = append(errs, more...)
	}
	return errs
}

// shapeOf brings the scores of a shape, of 10, to those of nodes.
func shapeOf(points []configv1.UtilizationShapePoint, at *field.Path) (shape []shapePoint, errs field.ErrorList) {
	const most = 10
	for i, p := range points {
		if i > 0 && p.Utilization <= points[i-1].Utilization {
			errs = append(errs, field.Invalid(at.Index(i).Child("utilization"), p.Utilization, "values must be sorted in increasing order"))
		}
		if p.Utilization < 0 || p.Utilization > 100 {
			errs = append(errs, field.Invalid(at.Index(i).Child("utilization"), p.Utilization, "not in valid range [0-100]"))
		}
		if p.Score < 0 || p.Score > most {
			errs = append(errs, field.Invalid(at.Index(i).Child("score"), p.Score, fmt.Sprintf("not in valid range [0-%d]", most)))
		}
		shape = append(shape, shapePoint{int64(p.Utilization), int64(p.Score) * maxScore / most})
	}
	return shape, errs
}

func weighedOf(all []configv1.ResourceSpec, most int64, at *field.Path) (result []weighed, errs field.ErrorList) {
	for i, r := range all {
		weight := r.Weight
		if weight == 0 {
			weight = 1
		}
		if weight < 1 || weight > most {
			errs = append(errs, field.Invalid(at.Index(i).Child("weight"), r.Weight, fmt.Sprintf("resource weight of %s not in valid range [1-%d]", r.Name, most)))
		}
		name := corev1.ResourceName(r.Name)
		if slices.ContainsFunc(result, func(w weighed) bool { return w.name == name }) {
			errs = append(errs, field.Duplicate(at.Index(i).Child("name"), r.Name))
		}
		result = append(result, weighed{name, weight})
	}
	return result, errs
}

func (p *profile) takeBalanced(args *configv1.NodeResourcesBalancedAllocationArgs, at *field.Path) (errs field.ErrorList) {
	if len(args.Resources) > 0 {
		p.balanced, errs = weighedOf(args.Resources, 1, at.Child("resources"))
	}
	return errs
}

func (p *profile) takeSpread(args *configv1.PodTopologySpreadArgs, at *field.Path) (errs field.ErrorList) {
	switch args.DefaultingType {
	case "", configv1.SystemDefaulting:
		if len(args.DefaultConstraints) > 0 {
			errs = append(errs, field.Invalid(at.Child("defaultingType"), args.DefaultingType, "when .defaultConstraints are not empty"))
		}
		return errs
	case configv1.ListDefaulting:
	default:
		return field.ErrorList{field.NotSupported(at.Child("defaultingType"), args.DefaultingType, []configv1.PodTopologySpreadConstraintsDefaulting{configv1.SystemDefaulting, configv1.ListDefaulting})}
	}
	for i, c := range args.DefaultConstraints {
		errs = append(errs, checkDefaultSpread(&c, at.Child("defaultConstraints").Index(i))...)
	}
	p.spread, p.systemSpread = args.DefaultConstraints, false
	return errs
}

func checkDefaultSpread(c *corev1.TopologySpreadConstraint, at *field.Path) (errs field.ErrorList) {
	if c.MaxSkew <= 0 {
		errs = append(errs, field.Invalid(at.Child("maxSkew"), c.MaxSkew, "not in valid range (0, inf)"))
	}
	if c.TopologyKey == "" {
		errs = append(errs, field.Required(at.Child("topologyKey"), "can not be empty"))
	}
	if c.WhenUnsatisfiable != corev1.DoNotSchedule && c.WhenUnsatisfiable != corev1.ScheduleAnyway {
		errs = append(errs, field.NotSupported(at.Child("whenUnsatisfiable"), c.WhenUnsatisfiable,
			[]corev1.UnsatisfiableConstraintAction{corev1.DoNotSchedule, corev1.ScheduleAnyway}))
	}
	if c.LabelSelector != nil {
		errs = append(errs, field.Forbidden(at.Child("labelSelector"), "constraint must not define a selector, as they deduced for each pod"))
	}
	return errs
}

func (p *profile) takePodAffinity(args *configv1.InterPodAffinityArgs, at *field.Path) field.ErrorList {
	weight := ptr.Deref(args.HardPodAffinityWeight, 1)
	if weight < 0 || weight > 100 {
		return field.ErrorList{field.Invalid(at.Child("hardPodAffinityWeight"), weight, "not in valid range [0-100]")}
	}
	p.hardAffinityWeight, p.ignoreOthersWishes = int64(weight), args.IgnorePreferredTermsOfExistingPods
	return nil
}

func (p *profile) takeNodeAffinity(args *configv1.NodeAffinityArgs, at *field.Path) (errs field.ErrorList) {
	added := args.AddedAffinity
	if added == nil {
		return nil
	}
	at = at.Child("addedAffinity")
	var err error
	if required := added.RequiredDuringSchedulingIgnoredDuringExecution; required != nil {
		if p.addedRequired, err = nodeaffinity.NewNodeSelector(required); err != nil {
			errs = append(errs, field.Invalid(at.Child("requiredDuringSchedulingIgnoredDuringExecution"), required.String(), err.Error()))
		}
	}
	if wishes := added.PreferredDuringSchedulingIgnoredDuringExecution; len(wishes) > 0 {
		if p.addedPreferred, err = nodeaffinity.NewPreferredSchedulingTerms(wishes); err != nil {
			errs = append(errs, field.Invalid(at.Child("preferredDuringSchedulingIgnoredDuringExecution"), len(wishes), err.Error()))
		}
	}
	return errs
}

func (p *profile) takeVolumeBinding(args *configv1.VolumeBindingArgs, at *field.Path) field.ErrorList {
	seconds := ptr.Deref(args.BindTimeoutSeconds, 600)
	if seconds < 0 {
		return field.ErrorList{field.Invalid(at.Child("bindTimeoutSeconds"), seconds, "invalid BindTimeoutSeconds, should not be a negative value")}
	}
	if len(args.Shape) > 0 {
		return field.ErrorList{field.Forbidden(at.Child("shape"), "nodes are not compared by the space of their storage")}
	}
	p.volumePatience = time.Duration(seconds) * time.Second
	return nil
}

func (p *profile) takePreemption(args *configv1.DefaultPreemptionArgs, at *field.Path) (errs field.ErrorList) {
	percent, absolute := ptr.Deref(args.MinCandidateNodesPercentage, 10), ptr.Deref(args.MinCandidateNodesAbsolute, 100)
	if percent < 0 || percent > 100 {
		errs = append(errs, field.Invalid(at.Child("minCandidateNodesPercentage"), percent, "not in valid range [0, 100]"))
	}
	if absolute < 0 {
		errs = append(errs, field.Invalid(at.Child("minCandidateNodesAbsolute"), absolute, "not in valid range [0, inf)"))
	}
	if percent == 0 && absolute == 0 {
		errs = append(errs, field.Invalid(at.Child("minCandidateNodesPercentage"), percent, "cannot be zero at the same time as minCandidateNodesAbsolute"))
	}
	p.candidatePercent, p.fewestCandidates = int(percent), int(absolute)
	return errs
}
