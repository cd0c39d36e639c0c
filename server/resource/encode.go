package resource

import (
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"leme/server/store"
)

// encode gives an object's stored form, bounded.
func encode(t Target, obj runtime.Object) ([]byte, error) {
	stored, err := store.Encode(obj, t.Kind.Storage().GroupVersionKind)
	if err != nil {
		return nil, err
	}
	if len(stored) > maxStored {
		return nil, apierrors.NewRequestEntityTooLargeError(
			fmt.Sprintf("the object has %d bytes, more than the %d that can be stored", len(stored), maxStored))
	}
	return stored, nil
}

// encodeUpdate also tells whether the object is the same as what is stored. That somebody claimed the same fields
// again is no change: the times of the claims stay then.
func encodeUpdate(t Target, obj, old runtime.Object, current *store.Item) (stored []byte, same bool, err error) {
	m := metaOf(obj)
	claims, oldClaims := m.GetManagedFields(), metaOf(old).GetManagedFields()
	if len(claims) > 0 && sameClaims(claims, oldClaims) {
		m.SetManagedFields(oldClaims)
		if stored, err = encode(t, obj); err != nil || unchanged(current, stored) {
			return stored, err == nil, err
		}
		m.SetManagedFields(claims)
	}
	stored, err = encode(t, obj)
	return stored, err == nil && unchanged(current, stored), err
}

// sameClaims compares two lists of managed fields but for their times.
func sameClaims(a, b []metav1.ManagedFieldsEntry) bool {
	return slices.EqualFunc(a, b, func(a, b metav1.ManagedFieldsEntry) bool {
		sameFields := a.FieldsV1.GetRawString() == b.FieldsV1.GetRawString()
		a.FieldsV1, b.FieldsV1, a.Time, b.Time = nil, nil, nil, nil
		return sameFields && a == b
	})
}
