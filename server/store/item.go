package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Item is one object at one revision. It is immutable and shared by all readers.
type Item struct {
	Key Key
	// Revision is the etcd mod revision, which clients see as metadata.resourceVersion.
	Revision int64
	// JSON is the whole object with its resourceVersion, starting {"kind":…,"apiVersion":…,"metadata":{….
	// Never modify it.
	JSON []byte

	body    int  // where "metadata": starts in JSON
	stale   bool // sealed otherwise than it would be now
	decode  Decode
	derived atomic.Pointer[derived] // nil while nobody needs it
	kept    memos
}

// Decode turns an object's JSON into its Go type.
type Decode func(gr schema.GroupResource, raw []byte) (runtime.Object, error)

const metadataField = `"metadata":{`

// newItem splices the revision into the stored form of an object.
func newItem(key Key, revision int64, stored []byte, decode Decode) (*Item, error) {
	body := bytes.Index(stored, []byte(metadataField))
	if body < 0 {
		return nil, fmt.Errorf("%s at revision %d has no metadata", key, revision)
	}
	at := body + len(metadataField)
	raw := make([]byte, 0, len(stored)+len(`"resourceVersion":"",`)+20)
	raw = append(raw, stored[:at]...)
	raw = append(raw, `"resourceVersion":"`...)
	raw = strconv.AppendInt(raw, revision, 10)
	raw = append(raw, '"')
	if stored[at] != '}' {
		raw = append(raw, ',')
	}
	raw = append(raw, stored[at:]...)
	return &Item{Key: key, Revision: revision, JSON: raw, body: body, decode: decode}, nil
}

// NewItem makes an item that is not in the store: a dry run's result, a Scale. The raw JSON carries
// its resourceVersion already; object is what it decodes to.
func NewItem(key Key, revision int64, raw []byte, object runtime.Object) *Item {
	it := &Item{Key: key, Revision: revision, JSON: raw, body: max(0, bytes.Index(raw, []byte(`"metadata":`)))}
	d := &derived{object: object}
	d.once.Do(func() {})
	it.derived.Store(d)
	return it
}

// at gives the same object at a later revision: the last state of a deleted object.
func (it *Item) at(revision int64) *Item {
	old := strconv.FormatInt(it.Revision, 10)
	start := it.body + len(metadataField) + len(`"resourceVersion":"`)
	raw := make([]byte, 0, len(it.JSON)+20)
	raw = append(raw, it.JSON[:start]...)
	raw = strconv.AppendInt(raw, revision, 10)
	raw = append(raw, it.JSON[start+len(old):]...)
	return &Item{Key: it.Key, Revision: revision, JSON: raw, body: it.body, decode: it.decode}
}

// AppendUntyped appends the JSON without kind and apiVersion, the form that items have in a list of a built-in type.
func (it *Item) AppendUntyped(dst []byte) []byte {
	dst = append(dst, '{')
	return append(dst, it.JSON[it.body:]...)
}

// Encode gives an object's stored form: JSON, kind and apiVersion first, without resourceVersion.
// The object must be the caller's own: its resourceVersion is taken away and put back.
func Encode(object runtime.Object, gvk schema.GroupVersionKind) ([]byte, error) {
	accessor, err := meta.Accessor(object)
	if err != nil {
		return nil, fmt.Errorf("encoding a %s: %w", gvk.Kind, err)
	}
	revision := accessor.GetResourceVersion()
	accessor.SetResourceVersion("")
	defer accessor.SetResourceVersion(revision)
	raw, err := json.Marshal(object)
	if err != nil {
		return nil, fmt.Errorf("encoding a %s: %w", gvk.Kind, err)
	}
	body := bytes.Index(raw, []byte(metadataField))
	if body < 0 {
		return nil, fmt.Errorf("encoding a %s: it has no metadata", gvk.Kind)
	}
	apiVersion, kind := gvk.ToAPIVersionAndKind()
	head := fmt.Sprintf(`{"kind":%q,"apiVersion":%q,`, kind, apiVersion)
	stored := make([]byte, 0, len(head)+len(raw)-body)
	stored = append(stored, head...)
	return append(stored, raw[body:]...), nil
}
