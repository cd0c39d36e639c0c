package openapi

import (
	"encoding/json"
	"fmt"
	"slices"

	openapi_v2 "github.com/google/gnostic-models/openapiv2"
	"google.golang.org/protobuf/proto"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/kube-openapi/pkg/openapiconv"
	"k8s.io/kube-openapi/pkg/schemamutation"
	"k8s.io/kube-openapi/pkg/spec3"
	"k8s.io/kube-openapi/pkg/validation/spec"

	"leme/server/kind"
)

// swagger is the OpenAPI v2 document of kinds, with the defaults that only v3 shows.
func swagger(kinds []*kind.Kind) *spec.Swagger {
	paths := map[string]spec.PathItem{}
	q := newQueries()
	for _, k := range kinds {
		addPaths(paths, k, q)
	}
	return &spec.Swagger{SwaggerProps: spec.SwaggerProps{
		Swagger:     "2.0",
		Info:        &spec.Info{InfoProps: spec.InfoProps{Title: "Kubernetes", Version: "v1.37"}},
		Paths:       &spec.Paths{Paths: paths},
		Definitions: define(kinds),
		SecurityDefinitions: spec.SecurityDefinitions{"BearerToken": {SecuritySchemeProps: spec.SecuritySchemeProps{
			Type: "apiKey", Name: "authorization", In: "header", Description: "Bearer Token authentication",
		}}},
	}}
}

// buildV2 encodes the OpenAPI v2 document.
func buildV2(kinds []*kind.Kind) (v2 encoded, err error) {
	document, err := json.Marshal(withoutDefaults(swagger(kinds)))
	if err != nil {
		return encoded{}, fmt.Errorf("encoding the OpenAPI v2 document: %w", err)
	}
	parsed, err := openapi_v2.ParseDocument(document)
	if err != nil {
		return encoded{}, fmt.Errorf("reading the OpenAPI v2 document back: %w", err)
	}
	binary, err := proto.Marshal(parsed)
	if err != nil {
		return encoded{}, fmt.Errorf("encoding the OpenAPI v2 document as protobuf: %w", err)
	}
	if v2.json, err = pack(document); err != nil {
		return encoded{}, err
	}
	v2.protobuf, err = pack(binary)
	return v2, err
}

// withoutDefaults leaves out what clients of OpenAPI v2 were never shown, and some do not expect.
func withoutDefaults(document *spec.Swagger) *spec.Swagger {
	walker := schemamutation.Walker{
		RefCallback: schemamutation.RefCallbackNoop,
		SchemaCallback: func(s *spec.Schema) *spec.Schema {
			if s.Default == nil {
				return s
			}
			without := *s
			without.Default = nil
			return &without
		},
	}
	return walker.WalkRoot(document)
}

// buildV3 encodes one document a group version, keyed by its path.
func buildV3(kinds []*kind.Kind) (map[string]version, error) {
	documents := map[string]version{}
	for _, gv := range groupVersions(kinds) {
		data, err := json.Marshal(document(ofVersion(kinds, gv)))
		if err != nil {
			return nil, fmt.Errorf("encoding the OpenAPI v3 document of %s: %w", gv, err)
		}
		if documents[groupPath(gv)], err = newVersion(data); err != nil {
			return nil, err
		}
	}
	return documents, nil
}

func ofVersion(kinds []*kind.Kind, gv schema.GroupVersion) []*kind.Kind {
	return slices.DeleteFunc(slices.Clone(kinds), func(k *kind.Kind) bool { return k.GroupVersion() != gv })
}

// document is the OpenAPI v3 document of kinds.
func document(kinds []*kind.Kind) *spec3.OpenAPI {
	v3 := openapiconv.ConvertV2ToV3(swagger(kinds))
	addAlternatives(v3.Components.Schemas)
	return v3
}

// buildConverter makes the schema that server-side apply merges by.
func buildConverter(kinds []*kind.Kind) (managedfields.TypeConverter, error) {
	definitions := define(kinds)
	schemas := make(map[string]*spec.Schema, len(definitions))
	for name, definition := range definitions {
		schemas[name] = openapiconv.ConvertSchema(&definition)
	}
	converter, err := managedfields.NewTypeConverter(schemas, false)
	if err != nil {
		return nil, fmt.Errorf("reading the types' schemas: %w", err)
	}
	return converter, nil
}
