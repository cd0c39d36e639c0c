package openapi

import (
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/kube-openapi/pkg/validation/spec"

	"leme/server/kind"
)

const gvkExtension = "x-kubernetes-group-version-kind"

// Types that every group version's requests and responses are made of.
var (
	statusType        = reflect.TypeFor[metav1.Status]()
	patchType         = reflect.TypeFor[metav1.Patch]()
	deleteOptionsType = reflect.TypeFor[metav1.DeleteOptions]()
	textType          = reflect.TypeFor[string]()
	watchEventType    = reflect.TypeFor[metav1.WatchEvent]()
)

// alternativeTypes are the scalar types that implement alternatives.
var alternativeTypes = []reflect.Type{reflect.TypeFor[resource.Quantity](), reflect.TypeFor[intstr.IntOrString]()}

// described are the kinds that have a Go type to describe.
func described(kinds []*kind.Kind) []*kind.Kind {
	return slices.DeleteFunc(slices.Clone(kinds), func(k *kind.Kind) bool {
		_, ok := k.New().(*unstructured.Unstructured)
		return ok
	})
}

// define returns the definitions of kinds, their lists, and what travels beside them.
func define(kinds []*kind.Kind) spec.Definitions {
	s := newSchemas()
	versions := groupVersions(kinds)
	for _, k := range kinds {
		s.add(objectType(k.New()), k.GroupVersionKind)
		s.add(objectType(k.NewList()), k.GroupVersion().WithKind(k.Kind+"List"))
		for _, part := range k.AllSubresources() {
			if part.New != nil {
				s.add(objectType(part.New()), part.GroupVersionKind)
			}
		}
	}
	s.add(statusType, schema.GroupVersionKind{Version: "v1", Kind: "Status"})
	s.add(patchType)
	s.add(deleteOptionsType, inEach(versions, "DeleteOptions")...)
	s.add(watchEventType, inEach(versions, "WatchEvent")...)
	for _, t := range []reflect.Type{
		reflect.TypeFor[metav1.APIGroupList](), reflect.TypeFor[metav1.APIResourceList](), reflect.TypeFor[metav1.APIVersions](),
	} {
		s.add(t, schema.GroupVersionKind{Version: "v1", Kind: t.Name()})
	}
	return s.definitions
}

// add defines a type and says under which kinds it is served.
func (s *schemas) add(t reflect.Type, gvks ...schema.GroupVersionKind) {
	s.ref(t)
	if len(gvks) == 0 {
		return
	}
	extension := make([]any, len(gvks))
	for i, gvk := range gvks {
		extension[i] = gvkObject(gvk)
	}
	definition := s.definitions[definitionName(t)]
	definition.AddExtension(gvkExtension, extension)
	s.definitions[definitionName(t)] = definition
}

func gvkObject(gvk schema.GroupVersionKind) map[string]any {
	return map[string]any{"group": gvk.Group, "version": gvk.Version, "kind": gvk.Kind}
}

func objectType(pointer any) reflect.Type { return reflect.TypeOf(pointer).Elem() }

// groupVersions returns the group versions of kinds, each once, in their order.
func groupVersions(kinds []*kind.Kind) []schema.GroupVersion {
	var versions []schema.GroupVersion
	for _, k := range kinds {
		if gv := k.GroupVersion(); !slices.Contains(versions, gv) {
			versions = append(versions, gv)
		}
	}
	return versions
}

func inEach(versions []schema.GroupVersion, name string) []schema.GroupVersionKind {
	gvks := make([]schema.GroupVersionKind, len(versions))
	for i, gv := range versions {
		gvks[i] = gv.WithKind(name)
	}
	return gvks
}

// addAlternatives rewrites the definitions of types that take values of several types, as OpenAPI v3 can say it.
func addAlternatives(definitions map[string]*spec.Schema) {
	for _, t := range alternativeTypes {
		definition, ok := definitions[definitionName(t)]
		if !ok {
			continue
		}
		definition.Type = nil
		for _, name := range reflect.Zero(t).Interface().(alternatives).OpenAPIV3OneOfTypes() {
			definition.OneOf = append(definition.OneOf, spec.Schema{SchemaProps: spec.SchemaProps{Type: spec.StringOrArray{name}}})
		}
	}
}
