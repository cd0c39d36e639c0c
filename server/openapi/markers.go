package openapi

import "reflect"

//go:generate go run ./internal/genmarkers zz_markers.go

// typeMarkers is what the source of a type says beyond what its Go declaration does.
type typeMarkers struct {
	GoType        string // package path, dot, name
	Doc           string // only where the type has no SwaggerDoc
	Atomic        bool   // a struct that is replaced as a whole
	Enum          []enumValue
	Fields        []fieldMarkers
	Discriminator string // of a union: the field that names the member in use
	Members       []unionMember
}

type fieldMarkers struct {
	Name        string // in JSON
	Doc         string // only where the type has no SwaggerDoc
	ListType    string // atomic, set, map
	ListMapKeys []string
	MapType     string // atomic, granular
	Default     string // JSON
	Optional    bool   // although always written
	Required    bool   // although left out when empty
}

type enumValue struct{ Value, Doc string }

type unionMember struct{ Field, Value string }

// markerIndex finds the markers of a type. It is made for one build of the documents and dropped afterwards.
type markerIndex map[string]*typeMarkers

func newMarkerIndex() markerIndex {
	index := make(markerIndex, len(markerTable))
	for i := range markerTable {
		index[markerTable[i].GoType] = &markerTable[i]
	}
	return index
}

// of returns the markers of a type, empty ones when there are none.
func (m markerIndex) of(t reflect.Type) *typeMarkers {
	if found, ok := m[t.PkgPath()+"."+t.Name()]; ok {
		return found
	}
	return &typeMarkers{}
}

func (t *typeMarkers) field(name string) fieldMarkers {
	for _, f := range t.Fields {
		if f.Name == name {
			return f
		}
	}
	return fieldMarkers{Name: name}
}
