package resource

import (
	"bytes"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"leme/server/kind"
	"leme/server/store"
)

// Glance is what can be seen of an object without decoding it.
type Glance struct {
	kind   *kind.Kind
	item   *store.Item
	values []byte // see fieldValues
}

// Key names the object.
func (g Glance) Key() types.NamespacedName {
	return types.NamespacedName{Namespace: g.item.Key.Namespace, Name: g.item.Key.Name}
}

// Field is the value of one of the kind's selectable fields, such as spec.nodeName; "" for any other.
func (g Glance) Field(label string) string {
	if i := slices.Index(g.kind.FieldLabels, label); i >= 0 {
		return string(fieldValue(g.values, i))
	}
	return ""
}

// MayBeDeleting is false for most of the objects that are not being deleted, and true for all that are.
func (g Glance) MayBeDeleting() bool {
	return bytes.Contains(g.item.JSON, []byte(`"deletionTimestamp":`))
}

// Pick is List for who looks at all objects again and again: only those that a glance does not rule out are decoded.
func (c Typed[T]) Pick(namespace string, wanted func(Glance) bool) []T {
	var list []T
	values := fieldValues(c.target.Kind)
	c.snapshot().Ascend(namespace, "", "", func(it *store.Item) bool {
		known, err := values(it)
		if err != nil || !wanted(Glance{c.target.Kind, it, known}) {
			return true
		}
		if obj, err := typed[T](it, nil); err == nil {
			list = append(list, obj)
		}
		return true
	})
	return list
}
