package everykind

import (
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"leme/server/kind"
)

// served is what the server's discovery tells of.
type served struct {
	resources []resource
}

// resource is one of them with its subresources.
type resource struct {
	metav1.APIResource
	gvr          schema.GroupVersionResource
	subresources []metav1.APIResource // named without the resource's name
}

func (r *resource) gvk() schema.GroupVersionKind { return r.gvr.GroupVersion().WithKind(r.Kind) }

// stored tells those that are kept from those that are only answered.
func (r *resource) stored() bool { return slices.Contains(r.Verbs, "get") }

func (r *resource) serves(verb string) bool { return slices.Contains(r.Verbs, verb) }

// has says whether there is a subresource of that name.
func (r *resource) has(name string) bool {
	return slices.ContainsFunc(r.subresources, func(s metav1.APIResource) bool { return s.Name == name })
}

// discover asks the server for everything that it serves.
func discover(t *testing.T, c *clients) *served {
	t.Helper()
	_, lists, err := c.typed.Discovery().ServerGroupsAndResources()
	if err != nil {
		t.Fatal(err)
	}
	s := &served{}
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range list.APIResources {
			if !strings.Contains(r.Name, "/") {
				s.resources = append(s.resources, resource{APIResource: r, gvr: gv.WithResource(r.Name)})
			}
		}
		for _, r := range list.APIResources {
			if name, sub, ok := strings.Cut(r.Name, "/"); ok {
				i := slices.IndexFunc(s.resources, func(of resource) bool { return of.gvr == gv.WithResource(name) })
				r.Name = sub
				s.resources[i].subresources = append(s.resources[i].subresources, r)
			}
		}
	}
	return s
}

// checkKinds: discovery tells of the kinds that are declared, each as it is declared, and stores no others.
func (s *served) checkKinds(t *testing.T) {
	kinds := kind.All()
	for _, k := range kinds.List() {
		i := slices.IndexFunc(s.resources, func(r resource) bool { return r.gvr == k.GroupVersionResource() })
		if i < 0 {
			t.Errorf("%s is not discovered", k.GroupVersionResource())
			continue
		}
		r := s.resources[i]
		if r.Kind != k.Kind || r.SingularName != k.Singular || r.Namespaced != k.Namespaced || !slices.Equal(r.ShortNames, k.ShortNames) ||
			!slices.Equal(r.Categories, k.Categories) || r.has("status") != k.HasStatus || r.has("scale") != (k.Scale != nil) {
			t.Errorf("discovery tells %+v of %s", r, k.Kind)
		}
	}
	for _, r := range s.resources {
		if r.stored() && kinds.Lookup(r.gvr) == nil {
			t.Errorf("%s is served and not declared", r.gvr)
		}
	}
}
