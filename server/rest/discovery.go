package rest

import (
	"encoding/json"
	"slices"
	"sync"

	apidiscovery "k8s.io/api/apidiscovery/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"leme/server/kind"
)

// discovery is the documents that tell clients what is served: the old ones, one a group version, and the aggregated
// one. They are made from the kinds when they are first asked for, and again when the kinds have changed.
type discovery struct {
	kinds *kind.Set
	named []NamedResource

	mu      sync.Mutex
	changed <-chan struct{}
	docs    *documents
}

// documents are of one state of the kinds.
type documents struct {
	groups    []group                        // without the core one
	resources map[schema.GroupVersion][]byte // APIResourceList
	details   map[string][]byte              // APIGroup by its name
	list      []byte                         // APIGroupList
	legacy    []byte                         // APIVersions
	core, all []byte                         // APIGroupDiscoveryList of /api and of /apis
}

// group is an API group with its versions, preferred first.
type group struct {
	name     string
	versions []groupVersion
}

type groupVersion struct {
	schema.GroupVersion
	resources []entry
}

// entry is a resource with its subresources, whether stored or virtual.
type entry struct {
	schema.GroupVersionKind
	stored                 schema.GroupVersionKind // the form in which the objects are stored; none of a virtual one
	resource, singular     string
	shortNames, categories []string
	namespaced             bool
	verbs                  []string
	subresources           []kind.Subresource
}

func newDiscovery(kinds *kind.Set, named ...NamedResource) *discovery {
	return &discovery{kinds: kinds, named: named}
}

func (d *discovery) current() (*documents, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.docs != nil {
		select {
		case <-d.changed:
		default:
			return d.docs, nil
		}
	}
	changed := d.kinds.Changed()
	docs, err := makeDocuments(groupsOf(d.kinds.List(), d.named))
	if err != nil {
		return nil, err
	}
	d.docs, d.changed = docs, changed
	return docs, nil
}

// paths are the root's: the fixed ones and one for each group and version.
func (d *discovery) paths(fixed []string) []string {
	all := slices.Clone(fixed)
	if docs, err := d.current(); err == nil {
		for _, g := range docs.groups {
			all = append(all, "/apis/"+g.name)
			for _, v := range g.versions {
				all = append(all, "/apis/"+v.String())
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// The verbs of what is stored, and of what is only answered.
var (
	objectVerbs  = []string{"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}
	virtualVerbs = []string{"create"}
)

// groupsOf sorts the kinds and the virtual resources into groups and versions, in the order in which they come.
func groupsOf(kinds []*kind.Kind, named []NamedResource) []group {
	var groups []group
	for _, k := range kinds {
		verbs := slices.DeleteFunc(slices.Clone(objectVerbs), func(v string) bool { return slices.Contains(k.NoVerbs, v) })
		groups = addEntry(groups, entry{
			GroupVersionKind: k.GroupVersionKind, stored: k.Storage().GroupVersionKind, resource: k.Resource, singular: k.Singular,
			shortNames: k.ShortNames, categories: k.Categories, namespaced: k.Namespaced,
			verbs: verbs, subresources: k.AllSubresources(),
		})
	}
	for _, v := range virtuals() {
		groups = addEntry(groups, entry{
			GroupVersionKind: v.GroupVersionKind, resource: v.resource, singular: v.singular, namespaced: v.namespaced, verbs: virtualVerbs,
		})
	}
	for _, n := range named {
		groups = addEntry(groups, entry{
			GroupVersionKind: n.GroupVersionKind, resource: n.Resource, singular: n.Singular, namespaced: n.Namespaced, verbs: []string{},
		})
	}
	return groups
}

func addEntry(groups []group, e entry) []group {
	g := slices.IndexFunc(groups, func(g group) bool { return g.name == e.Group })
	if g < 0 {
		g, groups = len(groups), append(groups, group{name: e.Group})
	}
	versions := groups[g].versions
	v := slices.IndexFunc(versions, func(v groupVersion) bool { return v.Version == e.Version })
	if v < 0 {
		v, versions = len(versions), append(versions, groupVersion{GroupVersion: e.GroupVersion()})
	}
	versions[v].resources = append(versions[v].resources, e)
	groups[g].versions = versions
	return groups
}

func makeDocuments(groups []group) (*documents, error) {
	d := &documents{resources: map[schema.GroupVersion][]byte{}, details: map[string][]byte{}}
	list := metav1.APIGroupList{TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"}, Groups: []metav1.APIGroup{}}
	var core, named []apidiscovery.APIGroupDiscovery
	var err error
	for _, g := range groups {
		for _, v := range g.versions {
			if d.resources[v.GroupVersion], err = json.Marshal(v.legacy()); err != nil {
				return nil, err
			}
		}
		if g.name == "" {
			core = append(core, g.aggregated())
			continue
		}
		d.groups = append(d.groups, g)
		legacy := g.legacy()
		list.Groups = append(list.Groups, legacy)
		legacy.Kind, legacy.APIVersion = "APIGroup", "v1"
		if d.details[g.name], err = json.Marshal(legacy); err != nil {
			return nil, err
		}
		named = append(named, g.aggregated())
	}
	if d.list, err = json.Marshal(list); err != nil {
		return nil, err
	}
	if d.legacy, err = json.Marshal(metav1.APIVersions{
		TypeMeta: metav1.TypeMeta{Kind: "APIVersions"}, Versions: []string{"v1"},
		ServerAddressByClientCIDRs: []metav1.ServerAddressByClientCIDR{},
	}); err != nil {
		return nil, err
	}
	if d.core, err = aggregate(core); err != nil {
		return nil, err
	}
	d.all, err = aggregate(named)
	return d, err
}
