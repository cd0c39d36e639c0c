package openapi

import (
	"slices"

	"k8s.io/kube-openapi/pkg/validation/spec"

	"leme/server/kind"
)

// subresource is the target of the operations on a part of an object, a request about it, or a connection to it.
func (t target) subresource(s kind.Subresource) target {
	t.gvk = s.GroupVersionKind
	if s.New != nil {
		t.object = objectType(s.New())
	}
	t.suffix += title(s.Name)
	t.part = s.Name + " of "
	return t
}

// addSubresource adds the paths of a subresource, one or two, with an operation for each of its verbs.
func addSubresource(paths map[string]spec.PathItem, at string, scope []spec.Parameter, t target, s kind.Subresource) {
	if s.Options == nil {
		paths[at] = pathItem(scope, t.operations(s.Verbs))
		return
	}
	scope = append(slices.Clone(scope), queryParameters(objectType(s.Options()))...)
	if t.gvk == t.kind.GroupVersionKind {
		paths[at] = pathItem(scope, spec.PathItemProps{Get: t.readText()})
		return
	}
	paths[at] = pathItem(scope, t.connections(s))
	if s.AnyPath {
		t.suffix += "WithPath"
		scope = append(scope, pathParameter("path", "path to the resource"))
		paths[at+"/{path}"] = pathItem(scope, t.connections(s))
	}
}

// operations are those of what is exchanged as an object.
func (t target) operations(verbs []string) (p spec.PathItemProps) {
	for _, verb := range verbs {
		switch verb {
		case "create":
			p.Post = t.create()
		case "get":
			p.Get = t.read()
		case "update":
			p.Put = t.replace()
		case "patch":
			p.Patch = t.patch()
		}
	}
	return p
}

// connections are the methods by which a connection is made.
func (t target) connections(s kind.Subresource) spec.PathItemProps {
	p := spec.PathItemProps{Get: t.connect("GET"), Post: t.connect("POST")}
	if s.AnyPath {
		p.Put, p.Patch, p.Delete = t.connect("PUT"), t.connect("PATCH"), t.connect("DELETE")
		p.Head, p.Options = t.connect("HEAD"), t.connect("OPTIONS")
	}
	return p
}
