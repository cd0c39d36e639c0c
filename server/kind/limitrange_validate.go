package kind

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validateLimitRange(lr *corev1.LimitRange) field.ErrorList {
	var errs field.ErrorList
	seen := unique[corev1.LimitType]{}
	for i := range lr.Spec.Limits {
		limit, path := &lr.Spec.Limits[i], field.NewPath("spec", "limits").Index(i)
		errs = append(errs, validateLimitType(limit.Type, path.Child("type"))...)
		errs = append(errs, seen.check(path.Child("type"), limit.Type, limit.Type)...)
		errs = append(errs, validateLimitLists(limit, path)...)
		errs = append(errs, validateLimitOrder(limit, path)...)
	}
	return errs
}

func validateLimitType(t corev1.LimitType, path *field.Path) field.ErrorList {
	errs := invalid(path, t, validation.IsQualifiedName(string(t)))
	if len(errs) > 0 || strings.Contains(string(t), "/") {
		return errs
	}
	switch t {
	case corev1.LimitTypePod, corev1.LimitTypeContainer, corev1.LimitTypePersistentVolumeClaim:
		return nil
	}
	return field.ErrorList{field.Invalid(path, t, "must be a standard limit type or fully qualified")}
}

// validateLimitLists checks which resources an item speaks of, and that its type has what it says of them.
func validateLimitLists(limit *corev1.LimitRangeItem, path *field.Path) field.ErrorList {
	lists := []struct {
		field string
		list  corev1.ResourceList
	}{{"max", limit.Max}, {"min", limit.Min}, {"default", limit.Default}, {"defaultRequest", limit.DefaultRequest}, {"maxLimitRequestRatio", limit.MaxLimitRequestRatio}}
	var errs field.ErrorList
	for _, l := range lists {
		if limit.Type == corev1.LimitTypePod && strings.HasPrefix(l.field, "default") {
			if len(l.list) > 0 {
				errs = append(errs, field.Forbidden(path.Child(l.field), "may not be specified when `type` is 'Pod'"))
			}
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(l.list)) {
			errs = append(errs, validateLimitName(limit.Type, string(name), path.Child(l.field).Key(string(name)))...)
		}
	}
	if limit.Type == corev1.LimitTypePersistentVolumeClaim {
		_, least := limit.Min[corev1.ResourceStorage]
		_, most := limit.Max[corev1.ResourceStorage]
		if !least && !most {
			errs = append(errs, field.Required(path.Child("limits"), "either minimum or maximum storage value is required, but neither was provided"))
		}
	}
	return errs
}

func validateLimitName(t corev1.LimitType, name string, path *field.Path) field.ErrorList {
	if t == corev1.LimitTypePod || t == corev1.LimitTypeContainer {
		return validateResourceName(name, path)
	}
	return validateStandardName(name, path)
}

// validateStandardName checks the name of a resource of any sort.
func validateStandardName(name string, path *field.Path) field.ErrorList {
	errs := invalid(path, name, validation.IsQualifiedName(name))
	if len(errs) == 0 && !strings.Contains(name, "/") && !standardForContainers(name) && !standard(name) {
		return field.ErrorList{field.Invalid(path, name, "must be a standard resource type or fully qualified")}
	}
	return errs
}

// validateLimitOrder checks that, of each resource, the least is no more than the defaults and these no more than the
// most.
func validateLimitOrder(limit *corev1.LimitRangeItem, path *field.Path) field.ErrorList {
	named := maps.Clone(limit.Max)
	if named == nil {
		named = corev1.ResourceList{}
	}
	for _, list := range []corev1.ResourceList{limit.Min, limit.Default, limit.DefaultRequest, limit.MaxLimitRequestRatio} {
		maps.Copy(named, list)
	}
	var errs field.ErrorList
	for _, name := range slices.Sorted(maps.Keys(named)) {
		errs = append(errs, validateLimitsOf(name, limit, path)...)
	}
	return errs
}

func validateLimitsOf(name corev1.ResourceName, limit *corev1.LimitRangeItem, path *field.Path) field.ErrorList {
	least, preset := amount{limit.Min, name, "min value"}, amount{limit.Default, name, "default value"}
	most, request := amount{limit.Max, name, "max value"}, amount{limit.DefaultRequest, name, "default request value"}
	cap := amount{limit.Default, name, "default limit value"}
	if limit.Type == corev1.LimitTypePod {
		preset, request, cap = amount{}, amount{}, amount{}
	}
	key := string(name)
	errs := least.atMost(most, path.Child("min").Key(key), least)
	errs = append(errs, least.atMost(request, path.Child("defaultRequest").Key(key), request)...)
	errs = append(errs, request.atMost(most, path.Child("defaultRequest").Key(key), request)...)
	errs = append(errs, request.atMost(cap, path.Child("defaultRequest").Key(key), request)...)
	errs = append(errs, least.atMost(preset, path.Child("default").Key(key), least)...)
	errs = append(errs, preset.atMost(most, path.Child("default").Key(key), most)...)
	errs = append(errs, validateRatio(amount{limit.MaxLimitRequestRatio, name, ""}, least, most, path.Child("maxLimitRequestRatio").Key(key))...)
	p, stated := preset.get()
	r, requested := request.get()
	if !overcommitted(name) && stated && requested && p.Cmp(r) != 0 {
		errs = append(errs, field.Invalid(path.Child("default").Key(key), p.String(),
			fmt.Sprintf("default value %s must equal to defaultRequest value %s in %s", p.String(), r.String(), name)))
	}
	return errs
}

func validateRatio(ratio, least, most amount, path *field.Path) field.ErrorList {
	r, ok := ratio.get()
	if !ok {
		return nil
	}
	var errs field.ErrorList
	if r.Cmp(resource.MustParse("1")) < 0 {
		errs = append(errs, field.Invalid(path, r.String(), fmt.Sprintf("ratio %s is less than 1", r.String())))
	}
	lowest, bounded := least.get()
	highest, capped := most.get()
	if !bounded || !capped {
		return errs
	}
	if widest := highest.AsApproximateFloat64() / lowest.AsApproximateFloat64(); r.AsApproximateFloat64() > widest {
		errs = append(errs, field.Invalid(path, r.String(), fmt.Sprintf("ratio %s is greater than max/min = %f", r.String(), widest)))
	}
	return errs
}

// amount is one entry of a list of resources, with its name in messages.
type amount struct {
	list corev1.ResourceList
	name corev1.ResourceName
	what string
}

func (a amount) get() (resource.Quantity, bool) {
	quantity, ok := a.list[a.name]
	return quantity, ok
}

// atMost checks that, where both are stated, one amount is not greater than another; shown is which of them is wrong.
func (a amount) atMost(b amount, path *field.Path, shown amount) field.ErrorList {
	less, stated := a.get()
	more, bounded := b.get()
	if !stated || !bounded || less.Cmp(more) <= 0 {
		return nil
	}
	wrong, _ := shown.get()
	return field.ErrorList{field.Invalid(path, wrong.String(), fmt.Sprintf("%s %s is greater than %s %s", a.what, less.String(), b.what, more.String()))}
}
