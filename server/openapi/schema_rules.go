package openapi

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"k8s.io/kube-openapi/pkg/validation/spec"
)

// addMergeRules says how two versions of a field merge: for patches, and for server-side apply.
func addMergeRules(schema *spec.Schema, m fieldMarkers, tag reflect.StructTag) {
	for _, rule := range []struct{ extension, value string }{
		{"x-kubernetes-list-type", m.ListType},
		{"x-kubernetes-map-type", m.MapType},
		{"x-kubernetes-patch-strategy", tag.Get("patchStrategy")},
		{"x-kubernetes-patch-merge-key", tag.Get("patchMergeKey")},
	} {
		if rule.value != "" {
			schema.AddExtension(rule.extension, rule.value)
		}
	}
	if len(m.ListMapKeys) > 0 {
		keys := make([]any, len(m.ListMapKeys))
		for i, k := range m.ListMapKeys {
			keys[i] = k
		}
		schema.AddExtension("x-kubernetes-list-map-keys", keys)
	}
}

// union says which value of the discriminator belongs to which member.
func (t *typeMarkers) union() map[string]any {
	fields := map[string]any{}
	for _, m := range t.Members {
		fields[m.Field] = m.Value
	}
	union := map[string]any{"fields-to-discriminateBy": fields}
	if t.Discriminator != "" {
		union["discriminator"] = t.Discriminator
	}
	return union
}

// fallback is the value that a field has when it is left out: the one its source states, else its type's zero.
func (m fieldMarkers) fallback(t reflect.Type, omitted bool) any {
	if m.Default == "" {
		return zeroDefault(t, omitted)
	}
	var value any
	if err := json.Unmarshal([]byte(m.Default), &value); err != nil {
		panic(fmt.Sprintf("openapi: the default of %s is not JSON: %v", m.Name, err))
	}
	return value
}

func zeroDefault(t reflect.Type, omitted bool) any {
	_, scalar := reflect.Zero(t).Interface().(scalarType)
	switch kind := t.Kind(); {
	case scalar:
		return nil
	case kind == reflect.Struct:
		return map[string]any{}
	case slices.Contains([]reflect.Kind{reflect.Pointer, reflect.Map, reflect.Slice, reflect.Interface}, kind), omitted:
		return nil
	case kind == reflect.Bool:
		return false
	case kind == reflect.String:
		return ""
	default:
		return 0
	}
}

// enumDoc is what is said of an enumeration's values below the description.
func enumDoc(values []enumValue) string {
	lines := make([]string, len(values))
	for i, v := range values {
		lines[i] = strings.TrimSpace(fmt.Sprintf(" - `%q` %s", v.Value, v.Doc))
	}
	return "\n\nPossible enum values:\n " + strings.Join(lines, "\n ")
}
