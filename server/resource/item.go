package resource

import (
	"bytes"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"leme/server/store"
)

// metadata is where a stored object's metadata starts; revisionField is what a store puts right after it.
const (
	metadata      = `"metadata":{`
	revisionField = `"resourceVersion":"`
)

// metaOf is an object's metadata. Every kind's Go type embeds ObjectMeta: anything else is a bug.
func metaOf(obj runtime.Object) metav1.Object { return obj.(metav1.Object) }

func formatRevision(revision int64) string { return strconv.FormatInt(revision, 10) }

// newItem makes the item that an object's stored form is at a revision, 0 for one that has none yet.
func newItem(key store.Key, revision int64, stored []byte, obj runtime.Object) *store.Item {
	if revision == 0 {
		return store.NewItem(key, 0, stored, obj)
	}
	metaOf(obj).SetResourceVersion(formatRevision(revision))
	at := bytes.Index(stored, []byte(metadata)) + len(metadata)
	raw := make([]byte, 0, len(stored)+len(revisionField)+24)
	raw = append(raw, stored[:at]...)
	raw = append(raw, revisionField...)
	raw = strconv.AppendInt(raw, revision, 10)
	raw = append(raw, '"')
	if stored[at] != '}' {
		raw = append(raw, ',')
	}
	raw = append(raw, stored[at:]...)
	return store.NewItem(key, revision, raw, obj)
}

// unchanged tells whether an object's stored form is what the item holds already.
func unchanged(it *store.Item, stored []byte) bool {
	at := bytes.Index(stored, []byte(metadata)) + len(metadata)
	raw := it.JSON
	if len(raw) < at || !bytes.Equal(raw[:at], stored[:at]) {
		return false
	}
	raw, found := bytes.CutPrefix(raw[at:], []byte(revisionField))
	if !found {
		return false
	}
	raw = raw[bytes.IndexByte(raw, '"')+1:]
	raw = bytes.TrimPrefix(raw, []byte(","))
	return bytes.Equal(raw, stored[at:])
}

// at is an item's state under a later revision: how an object looked when it left a selection.
func at(it *store.Item, revision int64) (*store.Item, error) {
	obj, err := it.Object()
	if err != nil {
		return nil, err
	}
	start := bytes.Index(it.JSON, []byte(metadata+revisionField)) + len(metadata) + len(revisionField)
	end := start + len(formatRevision(it.Revision))
	raw := make([]byte, 0, len(it.JSON)+20)
	raw = append(raw, it.JSON[:start]...)
	raw = strconv.AppendInt(raw, revision, 10)
	raw = append(raw, it.JSON[end:]...)
	obj = obj.DeepCopyObject()
	metaOf(obj).SetResourceVersion(formatRevision(revision))
	return store.NewItem(it.Key, revision, raw, obj), nil
}
