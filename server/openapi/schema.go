package openapi

import (
	"reflect"
	"strings"

	"k8s.io/kube-openapi/pkg/validation/spec"
)

const definitionPrefix = "#/definitions/"

// schemas collects the definitions of Go types, and of all the types that those are made of.
type schemas struct {
	markers     markerIndex
	definitions spec.Definitions
}

func newSchemas() *schemas {
	return &schemas{markers: newMarkerIndex(), definitions: spec.Definitions{}}
}

// ref returns a reference to a struct's definition, making that first where it is not there yet.
func (s *schemas) ref(t reflect.Type) spec.Ref {
	name := definitionName(t)
	if _, ok := s.definitions[name]; !ok {
		s.definitions[name] = spec.Schema{} // ends the recursion of types that contain themselves
		s.definitions[name] = s.define(t)
	}
	return spec.MustCreateRef(definitionPrefix + name)
}

func (s *schemas) define(t reflect.Type) spec.Schema {
	markers := s.markers.of(t)
	docs := swaggerDoc(t)
	schema := spec.Schema{SchemaProps: spec.SchemaProps{Description: docs[""]}}
	if schema.Description == "" {
		schema.Description = markers.Doc
	}
	if scalar, ok := reflect.Zero(t).Interface().(scalarType); ok {
		schema.Type, schema.Format = scalar.OpenAPISchemaType(), scalar.OpenAPISchemaFormat()
		return schema
	}
	schema.Type = spec.StringOrArray{"object"}
	if markers.Atomic {
		schema.AddExtension("x-kubernetes-map-type", "atomic")
	}
	if len(markers.Members) > 0 {
		schema.AddExtension("x-kubernetes-unions", []any{markers.union()})
	}
	s.addFields(&schema, t, markers, docs)
	return schema
}

// addFields adds the fields of a struct, those of inlined structs among them.
func (s *schemas) addFields(schema *spec.Schema, t reflect.Type, markers *typeMarkers, docs map[string]string) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			s.addFields(schema, f.Type, s.markers.of(f.Type), swaggerDoc(f.Type))
			continue
		case name == "-" || name == "":
			continue
		}
		own := markers.field(name)
		omitted := strings.Contains(options, "omitempty") || strings.Contains(options, "omitzero")
		property := s.property(f.Type)
		property.Description = strings.TrimSpace(docs[name] + own.Doc + property.Description)
		property.Default = own.fallback(f.Type, omitted)
		addMergeRules(&property, own, f.Tag)
		schema.SetProperty(name, property)
		if own.Required || (!omitted && !own.Optional) {
			schema.Required = append(schema.Required, name)
		}
	}
}

// property is the schema of a field's, an item's or a map value's type.
func (s *schemas) property(t reflect.Type) spec.Schema {
	switch t.Kind() {
	case reflect.Pointer:
		return s.property(t.Elem())
	case reflect.Struct:
		return spec.Schema{SchemaProps: spec.SchemaProps{Ref: s.ref(t)}}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return *spec.StrFmtProperty("byte")
		}
		return *spec.ArrayProperty(s.element(t.Elem()))
	case reflect.Map:
		return *spec.MapProperty(s.element(t.Elem()))
	case reflect.Interface:
		return spec.Schema{}
	default:
		return s.scalar(t)
	}
}

func (s *schemas) element(t reflect.Type) *spec.Schema {
	schema := s.property(t)
	schema.Default = zeroDefault(t, false)
	return &schema
}

func (s *schemas) scalar(t reflect.Type) spec.Schema {
	format := scalars[t.Kind()]
	schema := spec.Schema{SchemaProps: spec.SchemaProps{Type: spec.StringOrArray{format.Type}, Format: format.Format}}
	if values := s.markers.of(t).Enum; len(values) > 0 {
		schema.Description = enumDoc(values)
		for _, v := range values {
			schema.Enum = append(schema.Enum, v.Value)
		}
	}
	return schema
}

var scalars = map[reflect.Kind]struct{ Type, Format string }{
	reflect.Bool:    {"boolean", ""},
	reflect.String:  {"string", ""},
	reflect.Int:     {"integer", "int32"},
	reflect.Int32:   {"integer", "int32"},
	reflect.Int64:   {"integer", "int64"},
	reflect.Uint32:  {"integer", "int64"},
	reflect.Uint64:  {"integer", "int64"},
	reflect.Float32: {"number", "float"},
	reflect.Float64: {"number", "double"},
}
