package resource

import (
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"

	"leme/server/kind"
	"leme/server/store"
)

// selector is what a list or watch wants to see. One goroutine may use it.
type selector struct {
	namespaced bool
	namespace  string // "" is all
	name       string // "" is all
	labels     labels.Selector
	kept       keptLabels // of the item that is being looked at
	fields     []fieldIs
	values     func(*store.Item) ([]byte, error) // an item's selectable fields, see fieldValues
}

// fieldIs wants one field to have a value, or not to have it.
type fieldIs struct {
	label string // metadata.name, metadata.namespace, or ""
	index int    // among the kind's FieldLabels where label is ""
	value string
	not   bool
}

const (
	nameField      = "metadata.name"
	namespaceField = "metadata.namespace"
)

// newSelector reads the selectors of a request.
func newSelector(t Target, o metav1.ListOptions) (*selector, error) {
	s := &selector{namespaced: t.Kind.Namespaced, namespace: t.Namespace, name: t.Name, values: fieldValues(t.Kind)}
	if o.LabelSelector != "" {
		parsed, err := labels.Parse(o.LabelSelector)
		if err != nil {
			return nil, apierrors.NewBadRequest(err.Error())
		}
		if !parsed.Empty() {
			s.labels = parsed
		}
	}
	if o.FieldSelector == "" {
		return s, nil
	}
	parsed, err := fields.ParseSelector(o.FieldSelector)
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	for _, r := range parsed.Requirements() {
		if err := s.require(t.Kind, r); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// require adds a field requirement, as a narrower place to look at where it names one.
func (s *selector) require(k *kind.Kind, r fields.Requirement) error {
	is := fieldIs{index: slices.Index(k.FieldLabels, r.Field), value: r.Value, not: r.Operator == selection.NotEquals}
	switch {
	case r.Field == nameField || r.Field == namespaceField:
		is.label = r.Field
	case is.index < 0 && len(k.FieldLabels) == 0:
		return apierrors.NewBadRequest(fmt.Sprintf("%q is not a known field selector: only %q, %q", r.Field, nameField, namespaceField))
	case is.index < 0:
		return apierrors.NewBadRequest("field label not supported: " + r.Field)
	}
	if !is.not && is.label == nameField && (s.name == "" || s.name == r.Value) && r.Value != "" {
		s.name = r.Value
		return nil
	}
	if !is.not && is.label == namespaceField && k.Namespaced && (s.namespace == "" || s.namespace == r.Value) && r.Value != "" {
		s.namespace = r.Value
		return nil
	}
	s.fields = append(s.fields, is)
	return nil
}

// all tells that nothing within the namespace is left out.
func (s *selector) all() bool { return s.name == "" && s.labels == nil && len(s.fields) == 0 }

// every tells that nothing of the resource is left out.
func (s *selector) every() bool { return s.all() && s.namespace == "" }

// one tells that there is at most one item to see, and where.
func (s *selector) one() bool { return s.name != "" && (s.namespace != "" || !s.namespaced) }

// matches asks what is kept with the item: a selection from many must not decode them all each time.
func (s *selector) matches(it *store.Item) (bool, error) {
	if s.namespace != "" && it.Key.Namespace != s.namespace || s.name != "" && it.Key.Name != s.name {
		return false, nil
	}
	for _, is := range s.fields {
		if ok, err := s.matchesField(is, it); !ok || err != nil {
			return false, err
		}
	}
	if s.labels == nil {
		return true, nil
	}
	var err error
	s.kept, err = labelsOf(it)
	return err == nil && s.labels.Matches(&s.kept), err
}

func (s *selector) matchesField(is fieldIs, it *store.Item) (bool, error) {
	switch is.label {
	case nameField:
		return (it.Key.Name == is.value) != is.not, nil
	case namespaceField:
		return (it.Key.Namespace == is.value) != is.not, nil
	}
	values, err := s.values(it)
	if err != nil {
		return false, err
	}
	return (string(fieldValue(values, is.index)) == is.value) != is.not, nil
}

// fieldValues gives an item's selectable fields in the order of the kind's FieldLabels, each after its length. They
// are kept with the item: a thousand watchers by node ask for the same few.
func fieldValues(k *kind.Kind) func(*store.Item) ([]byte, error) {
	collect := func(it *store.Item) ([]byte, error) {
		obj, err := it.Object()
		if err != nil {
			return nil, err
		}
		set := k.Fields(obj)
		var values []byte
		for _, label := range k.FieldLabels {
			values = appendText(values, set[label])
		}
		return values, nil
	}
	return func(it *store.Item) ([]byte, error) {
		it, err := Target{Kind: k}.shown(it, nil)
		if err != nil {
			return nil, err
		}
		return it.Keep("resource.fields", collect)
	}
}

// fieldValue is the value at an index.
func fieldValue(values []byte, index int) []byte {
	for {
		value, rest := cutText(values)
		if index == 0 {
			return value
		}
		values = rest
		index--
	}
}
