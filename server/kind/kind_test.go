package kind

import (
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/client-go/kubernetes/scheme"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"
)

// pointsTo returns a pointer to a copy, for fields that may be left out.
func pointsTo[T any](v T) *T { return &v }

// change is one row of a table: what to do to a good object, and the causes that Kubernetes then gives.
type change[P runtime.Object] struct {
	name   string
	mutate func(P)
	want   []string // "path: type", in the order given
}

// checkChanges validates the base, which must be good, and each of its changes.
func checkChanges[P runtime.Object](t *testing.T, k *Kind, base func() P, changes []change[P]) {
	t.Helper()
	check := func(mutate func(P)) field.ErrorList {
		obj := base()
		if k.Default != nil {
			k.Default(obj)
		}
		mutate(obj)
		return k.Validate(obj)
	}
	if errs := check(func(P) {}); len(errs) > 0 {
		t.Fatalf("the base object is refused: %v", errs)
	}
	for _, c := range changes {
		t.Run(c.name, func(t *testing.T) {
			if got := causes(check(c.mutate)); !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

// checkUpdates does the same for changes of a stored object.
func checkUpdates[P runtime.Object](t *testing.T, k *Kind, base func() P, changes []change[P]) {
	t.Helper()
	for _, c := range changes {
		t.Run(c.name, func(t *testing.T) {
			old, updated := base(), base()
			if k.Default != nil {
				k.Default(old)
				k.Default(updated)
			}
			c.mutate(updated)
			if got := causes(k.ValidateUpdate(updated, old)); !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func causes(errs field.ErrorList) []string {
	var all []string
	for _, err := range errs {
		all = append(all, err.Field+": "+string(err.Type))
	}
	return all
}

const (
	isRequired     = ": " + string(field.ErrorTypeRequired)
	isInvalid      = ": " + string(field.ErrorTypeInvalid)
	isNotSupported = ": " + string(field.ErrorTypeNotSupported)
	isForbidden    = ": " + string(field.ErrorTypeForbidden)
	isDuplicate    = ": " + string(field.ErrorTypeDuplicate)
	isNotFound     = ": " + string(field.ErrorTypeNotFound)
	isTooLong      = ": " + string(field.ErrorTypeTooLong)
)

// known are all Go types that there are: client-go's, and those that it has a client of its own for.
var known = func() *runtime.Scheme {
	s := runtime.NewScheme()
	utilruntime.Must(scheme.AddToScheme(s))
	utilruntime.Must(metricsv1beta1.AddToScheme(s))
	return s
}()

func TestEachKindIsDeclaredWhole(t *testing.T) {
	for _, k := range All().List() {
		t.Run(k.Kind, func(t *testing.T) {
			for _, made := range []struct {
				kind string
				make func() runtime.Object
			}{{k.Kind, k.New}, {k.Kind + "List", k.NewList}} {
				want, err := known.New(k.GroupVersion().WithKind(made.kind))
				if err != nil {
					t.Fatal(err)
				}
				if got := made.make(); gotType(got) != gotType(want) {
					t.Errorf("%s is made as %T", made.kind, got)
				}
			}
			obj := k.New()
			if k.Default != nil {
				k.Default(obj)
			}
			if cells := k.Row(obj); len(cells) != len(k.Columns) {
				t.Errorf("%d cells below %d columns", len(cells), len(k.Columns))
			}
			if k.Fields != nil && len(k.Fields(obj)) != len(k.FieldLabels) {
				t.Errorf("%d fields under %d labels", len(k.Fields(obj)), len(k.FieldLabels))
			}
			if k.Resource == "" || k.Singular == "" || k.Columns[0].Name == "" {
				t.Error("it lacks a name")
			}
			if k.HasStatus && k.PrepareStatus == nil {
				t.Error("its status is served but nothing keeps its spec")
			}
		})
	}
}

func TestSetOfVersions(t *testing.T) {
	set := NewSet(EventsEvent, Event, HorizontalPodAutoscaler, HorizontalPodAutoscalerV1)
	if k := set.ByResource(EventsEvent.GroupResource()); k != nil {
		t.Errorf("%s stores nothing", k.GroupVersionKind)
	}
	if set.ByResource(HorizontalPodAutoscaler.GroupResource()) != HorizontalPodAutoscaler {
		t.Error("the stored form is not found")
	}
	if got := set.Stored(); !slices.Equal(got, []*Kind{Event, HorizontalPodAutoscaler}) {
		t.Errorf("%d kinds are stored", len(got))
	}
	if got := set.Versions(Event); !slices.Equal(got, []*Kind{EventsEvent, Event}) {
		t.Errorf("events have %d versions", len(got))
	}
}

func gotType(obj runtime.Object) string {
	gvks, _, _ := known.ObjectKinds(obj)
	return gvks[0].String()
}

func TestSet(t *testing.T) {
	set := NewSet(Pod)
	changed := set.Changed()
	set.Put(Deployment)
	select {
	case <-changed:
	default:
		t.Error("no change was told")
	}
	if set.Lookup(Deployment.GroupVersionResource()) != Deployment || set.ByKind(Deployment.GroupVersionKind) != Deployment ||
		set.ByResource(Deployment.GroupResource()) != Deployment {
		t.Error("what was added is not found")
	}
	before := set.List()
	set.Remove(Pod.GroupVersionKind)
	if len(before) != 2 || len(set.List()) != 1 || set.ByKind(Pod.GroupVersionKind) != nil {
		t.Error("what was removed is still there, or was taken from a list given before")
	}
}
