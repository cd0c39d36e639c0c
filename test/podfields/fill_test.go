package podfields

import (
	"fmt"
	"reflect"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// with gives a pod in which one field is set, to the row's value or to any.
func (r Row) with(base *corev1.Pod, at found) (*corev1.Pod, error) {
	pod := base.DeepCopy()
	v := reflect.ValueOf(&pod.Spec).Elem()
	for _, s := range at.path {
		v = open(v.FieldByIndex(s.index))
	}
	for _, f := range fieldsOf(at.of) {
		if f.name != r.Field {
			continue
		}
		target := v.FieldByIndex(f.index)
		if r.Value == "" {
			fill(target)
			return pod, nil
		}
		if err := yaml.Unmarshal([]byte(r.Value), target.Addr().Interface()); err != nil {
			return nil, fmt.Errorf("%s: %w", r, err)
		}
		return pod, nil
	}
	return nil, fmt.Errorf("%s has no such field", r)
}

// open gives the struct in a field: of a list the last, made where there is none.
func open(v reflect.Value) reflect.Value {
	for {
		switch v.Kind() {
		case reflect.Pointer:
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		case reflect.Slice:
			if v.Len() == 0 {
				v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
			}
			v = v.Index(v.Len() - 1)
		default:
			return v
		}
	}
}

// fill sets a field to something that is not its zero value.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice:
		fill(open(v))
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(1)
	case reflect.Struct:
		fill(v.Field(0))
	case reflect.Map:
		m := reflect.MakeMap(v.Type())
		m.SetMapIndex(reflect.ValueOf("x").Convert(v.Type().Key()), reflect.Zero(v.Type().Elem()))
		v.Set(m)
	}
}
