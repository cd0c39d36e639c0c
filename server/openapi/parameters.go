package openapi

import (
	"reflect"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kube-openapi/pkg/validation/spec"
)

// queries are the query parameters of each verb: the fields of its options type.
type queries struct {
	list, create, update, patch, remove []spec.Parameter
}

func newQueries() *queries {
	return &queries{
		list:   queryParameters(reflect.TypeFor[metav1.ListOptions]()),
		create: queryParameters(reflect.TypeFor[metav1.CreateOptions]()),
		update: queryParameters(reflect.TypeFor[metav1.UpdateOptions]()),
		patch:  queryParameters(reflect.TypeFor[metav1.PatchOptions]()),
		remove: queryParameters(reflect.TypeFor[metav1.DeleteOptions]()),
	}
}

// removeAll is the parameters of a deletion, and of the list that says what to delete.
func (q *queries) removeAll() []spec.Parameter {
	parameters := slices.Clone(q.remove)
	for _, p := range q.list {
		if p.Name != "watch" && p.Name != "allowWatchBookmarks" {
			parameters = append(parameters, p)
		}
	}
	return parameters
}

// queryParameters returns one parameter for each field that a query can hold, sorted by name.
func queryParameters(t reflect.Type) []spec.Parameter {
	docs := swaggerDoc(t)
	var parameters []spec.Parameter
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		paramType := queryType(f.Type)
		if name == "" || paramType == "" {
			continue
		}
		parameters = append(parameters, queryParameter(name, paramType, docs[name]))
	}
	slices.SortFunc(parameters, func(a, b spec.Parameter) int { return strings.Compare(a.Name, b.Name) })
	return parameters
}

func queryType(t reflect.Type) string {
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return scalars[t.Kind()].Type
}

func queryParameter(name, paramType, description string) spec.Parameter {
	p := parameter("query", name, description)
	p.Type, p.UniqueItems = paramType, true
	return p
}

func pathParameter(name, description string) spec.Parameter {
	p := parameter("path", name, description)
	p.Type, p.UniqueItems, p.Required = "string", true, true
	return p
}

func bodyParameter(t reflect.Type, required bool) spec.Parameter {
	p := parameter("body", "body", "")
	p.Schema, p.Required = refTo(t), required
	return p
}

func parameter(in, name, description string) spec.Parameter {
	return spec.Parameter{ParamProps: spec.ParamProps{In: in, Name: name, Description: description}}
}

// refTo refers to a definition that is, or will be, there.
func refTo(t reflect.Type) *spec.Schema { return spec.RefSchema(definitionPrefix + definitionName(t)) }
