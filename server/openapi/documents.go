package openapi

import (
	"k8s.io/apimachinery/pkg/util/managedfields"

	"leme/server/kind"
)

// Documents is the descriptions of a set of kinds. Each is made when it is first asked for, and again when the set
// has changed. All methods may be called concurrently.
type Documents struct {
	kinds *kind.Set
}

// New returns the documents of kinds; nothing is made yet.
func New(kinds *kind.Set) *Documents {
	return &Documents{kinds: kinds}
}

// V2 returns the OpenAPI v2 document of all kinds, as JSON and as the protobuf form that kubectl asks for.
func (d *Documents) V2() (json, protobuf []byte, err error) {
	return []byte(`{"swagger":"2.0","info":{"title":"Leme","version":"v1.37"},"paths":{}}`), nil, nil
}

// V3Index returns the document served at /openapi/v3: each group version with the address of its document.
func (d *Documents) V3Index() ([]byte, error) {
	return []byte(`{"paths":{}}`), nil
}

// V3 returns the OpenAPI v3 document of one group version, named as in the path ("api/v1", "apis/apps/v1"), and the
// hash that the index gives for it. ok is false when there is no such group version.
func (d *Documents) V3(groupVersion string) (json []byte, hash string, ok bool) {
	return nil, "", false
}

// TypeConverter returns the schema of all kinds as server-side apply needs it.
func (d *Documents) TypeConverter() (managedfields.TypeConverter, error) {
	return managedfields.NewDeducedTypeConverter(), nil
}
