package openapi

import (
	"path"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/kube-openapi/pkg/validation/spec"

	"leme/server/kind"
)

// groupPath is where a group version is served, without the leading slash: "api/v1", "apis/apps/v1".
func groupPath(gv schema.GroupVersion) string {
	if gv.Group == "" {
		return path.Join("api", gv.Version)
	}
	return path.Join("apis", gv.Group, gv.Version)
}

// addPaths adds a kind's paths and the verbs on each.
func addPaths(paths map[string]spec.PathItem, k *kind.Kind, q *queries) {
	t := target{queries: q, kind: k, gvk: k.GroupVersionKind, object: objectType(k.New()), suffix: k.Kind}
	root := "/" + groupPath(k.GroupVersion())
	parent := root
	pretty := queryParameter("pretty", "string", "If 'true', then the output is pretty printed.")
	scope := []spec.Parameter{pretty}
	if k.Namespaced {
		everywhere := t
		everywhere.suffix += "ForAllNamespaces"
		paths[path.Join(root, k.Resource)] = pathItem(scope, spec.PathItemProps{Get: everywhere.list()})

		parent = path.Join(root, "namespaces", "{namespace}")
		scope = append(scope, pathParameter("namespace", "object name and auth scope, such as for teams and projects"))
		t.suffix = "Namespaced" + t.suffix
	}
	collection := path.Join(parent, k.Resource)
	item := path.Join(collection, "{name}")
	paths[collection] = pathItem(scope, spec.PathItemProps{Get: t.list(), Post: t.create(), Delete: t.removeAll()})

	scope = append(scope, pathParameter("name", "name of the "+k.Kind))
	paths[item] = pathItem(scope, spec.PathItemProps{Get: t.read(), Put: t.replace(), Patch: t.patch(), Delete: t.remove()})
	if k.HasStatus {
		paths[path.Join(item, "status")] = t.subresource("status").item(scope)
	}
	if k.Scale != nil {
		scale := t.subresource("scale")
		scale.gvk, scale.object = scaleGVK, scaleType
		paths[path.Join(item, "scale")] = scale.item(scope)
	}
	for _, s := range subresourcesOf(k) {
		part := t.subresource(s.name)
		part.gvk, part.object = s.gvk, s.object
		paths[path.Join(item, s.name)] = pathItem(scope, s.operations(part))
	}
}

func (t target) subresource(name string) target {
	t.suffix += title(name)
	t.part = name + " of "
	return t
}

// item is the path of a part of an object: it can be read and changed, and lives as long as the object does.
func (t target) item(scope []spec.Parameter) spec.PathItem {
	return pathItem(scope, spec.PathItemProps{Get: t.read(), Put: t.replace(), Patch: t.patch()})
}

func pathItem(parameters []spec.Parameter, operations spec.PathItemProps) spec.PathItem {
	operations.Parameters = append([]spec.Parameter(nil), parameters...)
	return spec.PathItem{PathItemProps: operations}
}
