package kind

import (
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Version is another form in which the objects of a stored kind are served: another version of its group, or its
// namesake in another group. All forms share the stored objects; see Kind.Stored.
type Version struct {
	schema.GroupVersionKind
	New, NewList func() runtime.Object
	// Default fills in an object of this version, before it is converted and gets the stored kind's defaults.
	Default func(runtime.Object)
	// ToStored and FromStored convert. They leave their argument as it is, and may share what is below it.
	ToStored, FromStored func(runtime.Object) (runtime.Object, error)
}

// ServedAs declares a version of a stored kind. It has everything that the stored kind has; the functions that look
// at written objects take the stored form, those that look at what is served (Row, Fields) the version's own.
func (k *Kind) ServedAs(v Version) *Kind {
	served := *k
	served.GroupVersionKind, served.New, served.NewList, served.Default = v.GroupVersionKind, v.New, v.NewList, v.Default
	served.Stored, served.ToStored, served.FromStored = k, v.ToStored, v.FromStored
	if k.Row != nil {
		served.Row = func(obj runtime.Object) []any { return k.Row(served.stored(obj)) }
	}
	if k.Fields != nil {
		served.Fields = func(obj runtime.Object) fields.Set { return k.Fields(served.stored(obj)) }
	}
	return &served
}

// stored is the stored form of an object that is served, and so came from it: what cannot be converted back is empty.
func (k *Kind) stored(obj runtime.Object) runtime.Object {
	stored, err := k.ToStored(obj)
	if err != nil {
		return k.Stored.New()
	}
	return stored
}

// Storage is the kind in whose form the objects are stored: the kind itself, unless it is another version of one.
func (k *Kind) Storage() *Kind {
	if k.Stored != nil {
		return k.Stored
	}
	return k
}

// converts turns a conversion between two Go types into an untyped one.
func converts[In, Out runtime.Object](f func(In) (Out, error)) func(runtime.Object) (runtime.Object, error) {
	return func(obj runtime.Object) (runtime.Object, error) { return f(obj.(In)) }
}
