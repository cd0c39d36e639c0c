package auth

import (
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// RegistryGroup is the API group by which roles speak of the images in the cluster's own registry:
//
//	rules:
//	- apiGroups: ["registry.leme"]
//	  resources: ["images"]
//	  verbs: ["get", "update"] # pull and push
const RegistryGroup = RegistryHost

// Images is how discovery tells of them.
var Images = schema.GroupVersionKind{Group: RegistryGroup, Version: "v1", Kind: "Image"}

// ImageAttributes is what somebody wants of a repository in the cluster's registry, in RBAC's terms. The first part of
// a repository's name is the namespace that it belongs to, so that roles in a namespace hold for its images; those
// without such a part belong to none. An empty repository stands for all of them.
func ImageAttributes(verb, repository string) Attributes {
	a := Attributes{Verb: verb, Group: RegistryGroup, Resource: "images", Name: repository}
	if namespace, name, nested := strings.Cut(repository, "/"); nested {
		a.Namespace, a.Name = namespace, name
	}
	return a
}

// UpstreamImageAttributes is what somebody wants of another registry's repository, "docker.io/library/nginx", through the
// cluster's. It belongs to no namespace.
func UpstreamImageAttributes(verb, repository string) Attributes {
	return Attributes{Verb: verb, Group: RegistryGroup, Resource: "images", Subresource: "upstream", Name: repository}
}
