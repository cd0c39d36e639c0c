package rest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"

	apidiscovery "k8s.io/api/apidiscovery/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// legacy is the group as an item of an APIGroupList.
func (g group) legacy() metav1.APIGroup {
	out := metav1.APIGroup{Name: g.name}
	for _, v := range g.versions {
		out.Versions = append(out.Versions, metav1.GroupVersionForDiscovery{GroupVersion: v.String(), Version: v.Version})
	}
	out.PreferredVersion = out.Versions[0]
	return out
}

// legacy is the version's APIResourceList; a subresource is an entry of its own there, "pods/status".
func (v groupVersion) legacy() metav1.APIResourceList {
	out := metav1.APIResourceList{
		TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"}, GroupVersion: v.String(),
	}
	for _, e := range v.resources {
		out.APIResources = append(out.APIResources, metav1.APIResource{
			Name: e.resource, SingularName: e.singular, Namespaced: e.namespaced, Kind: e.Kind,
			Verbs: e.verbs, ShortNames: e.shortNames, Categories: e.categories, StorageVersionHash: storageHash(e.stored),
		})
		for _, s := range e.subresources {
			r := metav1.APIResource{Name: e.resource + "/" + s.Name, Namespaced: e.namespaced, Kind: s.Kind, Verbs: s.Verbs}
			if s.GroupVersion() != v.GroupVersion {
				r.Group, r.Version = s.Group, s.Version
			}
			out.APIResources = append(out.APIResources, r)
		}
	}
	return out
}

// storageHash changes when a resource is stored in another version.
func storageHash(gvk schema.GroupVersionKind) string {
	if gvk.Empty() {
		return ""
	}
	sum := sha256.Sum256([]byte(gvk.Group + "/" + gvk.Version + "/" + gvk.Kind))
	return base64.StdEncoding.EncodeToString(sum[:8])
}

// aggregated is the group with everything in it.
func (g group) aggregated() apidiscovery.APIGroupDiscovery {
	out := apidiscovery.APIGroupDiscovery{ObjectMeta: metav1.ObjectMeta{Name: g.name}}
	for _, v := range g.versions {
		version := apidiscovery.APIVersionDiscovery{Version: v.Version, Freshness: apidiscovery.DiscoveryFreshnessCurrent}
		for _, e := range v.resources {
			version.Resources = append(version.Resources, e.aggregated())
		}
		out.Versions = append(out.Versions, version)
	}
	return out
}

func (e entry) aggregated() apidiscovery.APIResourceDiscovery {
	scope := apidiscovery.ScopeCluster
	if e.namespaced {
		scope = apidiscovery.ScopeNamespace
	}
	out := apidiscovery.APIResourceDiscovery{
		Resource: e.resource, ResponseKind: responseKind(e.GroupVersionKind), Scope: scope,
		SingularResource: e.singular, Verbs: e.verbs, ShortNames: e.shortNames, Categories: e.categories,
	}
	for _, s := range e.subresources {
		out.Subresources = append(out.Subresources, apidiscovery.APISubresourceDiscovery{
			Subresource: s.Name, ResponseKind: responseKind(s.GroupVersionKind), Verbs: s.Verbs,
		})
	}
	return out
}

func responseKind(gvk schema.GroupVersionKind) *metav1.GroupVersionKind {
	return &metav1.GroupVersionKind{Group: gvk.Group, Version: gvk.Version, Kind: gvk.Kind}
}

func aggregate(items []apidiscovery.APIGroupDiscovery) ([]byte, error) {
	return json.Marshal(apidiscovery.APIGroupDiscoveryList{
		TypeMeta: metav1.TypeMeta{Kind: "APIGroupDiscoveryList", APIVersion: apidiscovery.SchemeGroupVersion.String()},
		Items:    items,
	})
}

// etag is an entity tag of some bytes, quoted as the header has it.
func etag(raw []byte) string {
	sum := sha256.Sum256(raw)
	return fmt.Sprintf("%q", hex.EncodeToString(sum[:16]))
}
