package openapi

import (
	"reflect"
	"slices"
	"strings"
)

// scalarType is a struct that is written as a single value: a time, a quantity.
type scalarType interface {
	OpenAPISchemaType() []string
	OpenAPISchemaFormat() string
}

// alternatives is a scalarType that can be written as values of several types.
type alternatives interface {
	OpenAPIV3OneOfTypes() []string
}

// definitionName is the name that Kubernetes has for a type: io.k8s.api.core.v1.Pod.
func definitionName(t reflect.Type) string {
	if named, ok := reflect.Zero(t).Interface().(interface{ OpenAPIModelName() string }); ok {
		return named.OpenAPIModelName()
	}
	host, path, _ := strings.Cut(t.PkgPath(), "/")
	labels := strings.Split(host, ".")
	slices.Reverse(labels)
	return strings.Join(append(labels, strings.Split(path, "/")...), ".") + "." + t.Name()
}

// swaggerDoc is the descriptions of a struct ("") and of its fields.
func swaggerDoc(t reflect.Type) map[string]string {
	if documented, ok := reflect.Zero(t).Interface().(interface{ SwaggerDoc() map[string]string }); ok {
		return documented.SwaggerDoc()
	}
	return nil
}
