package kind

import (
	"fmt"
	"math"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// The checks that fields of many kinds share. Each returns a cause for everything that is wrong at its path.

// invalid makes one cause of each message.
func invalid(path *field.Path, value any, messages []string) field.ErrorList {
	var errs field.ErrorList
	for _, message := range messages {
		errs = append(errs, field.Invalid(path, value, message))
	}
	return errs
}

// pathSegment allows every name that can be one part of a URL's path.
func pathSegment(name string, prefix bool) []string {
	if !prefix && (name == "." || name == "..") {
		return []string{fmt.Sprintf("may not be '%s'", name)}
	}
	var problems []string
	for _, no := range []string{"/", "%"} {
		if strings.Contains(name, no) {
			problems = append(problems, fmt.Sprintf("may not contain '%s'", no))
		}
	}
	return problems
}

// named checks a name that must be there.
func named(path *field.Path, name string, check func(string) []string) field.ErrorList {
	if name == "" {
		return field.ErrorList{field.Required(path, "")}
	}
	return invalid(path, name, check(name))
}

// maybeNamed checks a name that may be left out.
func maybeNamed(path *field.Path, name string, check func(string) []string) field.ErrorList {
	if name == "" {
		return nil
	}
	return invalid(path, name, check(name))
}

// required checks that a text is there.
func required(path *field.Path, text string) field.ErrorList {
	return named(path, text, func(string) []string { return nil })
}

// oneOf checks a value that must be there and be one of a few, which are given sorted.
func oneOf[T ~string](path *field.Path, value T, allowed ...T) field.ErrorList {
	if value == "" {
		return field.ErrorList{field.Required(path, "")}
	}
	return maybeOneOf(path, &value, allowed...)
}

// maybeOneOf checks a value that may be left out.
func maybeOneOf[T ~string](path *field.Path, value *T, allowed ...T) field.ErrorList {
	if value == nil || slices.Contains(allowed, *value) {
		return nil
	}
	return field.ErrorList{field.NotSupported(path, *value, allowed)}
}

// nonNegative checks a number that may be left out.
func nonNegative[T int32 | int64](path *field.Path, value *T) field.ErrorList {
	if value == nil || *value >= 0 {
		return nil
	}
	return field.ErrorList{field.Invalid(path, *value, "must be greater than or equal to 0").WithOrigin("minimum")}
}

// maybeIn checks a number with a check for its range; it may be left out.
func maybeIn(path *field.Path, value *int64, check func(int64) []string) field.ErrorList {
	if value == nil {
		return nil
	}
	return invalid(path, *value, check(*value))
}

func positiveInt32(value int64) []string {
	if value < 1 || value > math.MaxInt32 {
		return []string{validation.InclusiveRangeError(1, math.MaxInt32)}
	}
	return nil
}

func labelSelector(path *field.Path, selector *metav1.LabelSelector) field.ErrorList {
	return metav1validation.ValidateLabelSelector(selector, metav1validation.LabelSelectorValidationOptions{}, path)
}

// exactlyOne checks that one of several alternatives is given; sources are the names of those that are.
func exactlyOne(path *field.Path, what string, sources []string) field.ErrorList {
	if len(sources) == 0 {
		return field.ErrorList{field.Required(path, "must specify a "+what)}
	}
	var errs field.ErrorList
	for _, name := range sources[1:] {
		errs = append(errs, field.Forbidden(path.Child(name), "may not specify more than 1 "+what))
	}
	return errs
}

// unique finds values that come twice.
type unique[T comparable] map[T]bool

func (u unique[T]) check(path *field.Path, value T, shown any) field.ErrorList {
	if u[value] {
		return field.ErrorList{field.Duplicate(path, shown)}
	}
	u[value] = true
	return nil
}

// maybeNamedOneOf checks a text that may be empty, or one of a few, which are given sorted.
func maybeNamedOneOf[T ~string](path *field.Path, value T, allowed ...T) field.ErrorList {
	if value == "" {
		return nil
	}
	return oneOf(path, value, allowed...)
}
