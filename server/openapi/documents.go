package openapi

import (
	"encoding/json"
	"net/url"
	"sync"

	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/kube-openapi/pkg/handler3"

	"leme/server/kind"
)

// Documents is the descriptions of a set of kinds. Each is made when it is first asked for, and again when the set
// has changed; between, only its compressed bytes are kept. All methods may be called concurrently.
type Documents struct {
	kinds *kind.Set

	mu      sync.Mutex
	current *edition
}

// edition is the documents of the kinds that a set held at one time.
type edition struct {
	outdated  <-chan struct{}
	v2        func() (encoded, error)
	v3        func() (map[string]version, error)
	converter func() (managedfields.TypeConverter, error)
}

// New returns the documents of kinds; nothing is made yet.
func New(kinds *kind.Set) *Documents {
	return &Documents{kinds: kinds, current: newEdition(kinds)}
}

func newEdition(set *kind.Set) *edition {
	outdated := set.Changed() // before List, so that no change is missed
	kinds := described(set.List())
	return &edition{
		outdated:  outdated,
		v2:        sync.OnceValues(func() (encoded, error) { return buildV2(kinds) }),
		v3:        sync.OnceValues(func() (map[string]version, error) { return buildV3(kinds) }),
		converter: sync.OnceValues(func() (managedfields.TypeConverter, error) { return buildConverter(kinds) }),
	}
}

func (d *Documents) edition() *edition {
	d.mu.Lock()
	defer d.mu.Unlock()
	select {
	case <-d.current.outdated:
		d.current = newEdition(d.kinds)
	default:
	}
	return d.current
}

// V2 returns the OpenAPI v2 document of all kinds, as JSON and as the protobuf form that kubectl asks for.
func (d *Documents) V2() (json, protobuf []byte, err error) {
	v2, err := d.edition().v2()
	if err != nil {
		return nil, nil, err
	}
	if json, err = v2.json.unpack(); err != nil {
		return nil, nil, err
	}
	protobuf, err = v2.protobuf.unpack()
	return json, protobuf, err
}

// V3Index returns the document served at /openapi/v3: each group version with the address of its document.
func (d *Documents) V3Index() ([]byte, error) {
	versions, err := d.edition().v3()
	if err != nil {
		return nil, err
	}
	index := handler3.OpenAPIV3Discovery{Paths: map[string]handler3.OpenAPIV3DiscoveryGroupVersion{}}
	for path, v := range versions {
		address := url.URL{Path: "/openapi/v3/" + path, RawQuery: url.Values{"hash": {v.hash}}.Encode()}
		index.Paths[path] = handler3.OpenAPIV3DiscoveryGroupVersion{ServerRelativeURL: address.String()}
	}
	return json.Marshal(index)
}

// V3 returns the OpenAPI v3 document of one group version, named as in the path ("api/v1", "apis/apps/v1"), and the
// hash that the index gives for it. ok is false when there is no such group version.
func (d *Documents) V3(groupVersion string) (json []byte, hash string, ok bool) {
	versions, err := d.edition().v3()
	if err != nil {
		return nil, "", false
	}
	v, ok := versions[groupVersion]
	if !ok {
		return nil, "", false
	}
	json, err = v.json.unpack()
	return json, v.hash, err == nil
}

// TypeConverter returns the schema of all kinds as server-side apply needs it.
func (d *Documents) TypeConverter() (managedfields.TypeConverter, error) {
	return d.edition().converter()
}
