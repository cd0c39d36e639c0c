package podfields

import (
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// step is one field on the way from a pod's spec to a type.
type step struct {
	index []int // as reflect.Value.FieldByIndex takes it
	name  string
}

// found is a type of the API below a pod's spec, with the fields that lead to it.
type found struct {
	of   reflect.Type
	path []step
}

// others are types below a pod's spec that are what another kind has.
var others = map[reflect.Type]bool{reflect.TypeFor[corev1.PersistentVolumeClaimSpec](): true}

// walk lists the types below a pod's spec, each by the first way to it; those that are below closed fields only are left
// out.
func walk(closed func(typeName, field string) bool) []found {
	list := []found{{of: reflect.TypeFor[corev1.PodSpec]()}}
	seen := map[reflect.Type]bool{list[0].of: true}
	for i := 0; i < len(list); i++ {
		at := list[i]
		for _, f := range fieldsOf(at.of) {
			t := structBelow(f.of)
			if t == nil || seen[t] || others[t] || closed(at.of.Name(), f.name) {
				continue
			}
			seen[t] = true
			list = append(list, found{t, append(slices.Clone(at.path), f.step)})
		}
	}
	return list
}

type field struct {
	step
	of reflect.Type
}

// fieldsOf lists a type's fields as JSON has them: those of a type that is embedded without a name are its own. The plain
// containers come first, as they have what init containers may not have.
func fieldsOf(t reflect.Type) []field {
	var list []field
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "" && f.Anonymous:
			for _, inner := range fieldsOf(f.Type) {
				inner.index = append([]int{i}, inner.index...)
				list = append(list, inner)
			}
		case name == "containers":
			list = slices.Insert(list, 0, field{step{f.Index, name}, f.Type})
		default:
			list = append(list, field{step{f.Index, name}, f.Type})
		}
	}
	return list
}

// structBelow is the API's struct that a field holds, itself or by pointers and lists; nil when it holds none.
func structBelow(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t.PkgPath() != reflect.TypeFor[corev1.PodSpec]().PkgPath() {
		return nil
	}
	return t
}
