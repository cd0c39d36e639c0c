package openapi

import (
	"path"
	"slices"

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
	served := func(verb string, make func() *spec.Operation) *spec.Operation {
		if slices.Contains(k.NoVerbs, verb) {
			return nil
		}
		return make()
	}
	paths[collection] = pathItem(scope, spec.PathItemProps{
		Get: served("list", t.list), Post: served("create", t.create), Delete: served("deletecollection", t.removeAll),
	})

	scope = append(scope, pathParameter("name", "name of the "+k.Kind))
	paths[item] = pathItem(scope, spec.PathItemProps{
		Get: served("get", t.read), Put: served("update", t.replace), Patch: served("patch", t.patch), Delete: served("delete", t.remove),
	})
	for _, s := range k.AllSubresources() {
		addSubresource(paths, path.Join(item, s.Name), scope, t.subresource(s), s)
	}
}

func pathItem(parameters []spec.Parameter, operations spec.PathItemProps) spec.PathItem {
	operations.Parameters = append([]spec.Parameter(nil), parameters...)
	return spec.PathItem{PathItemProps: operations}
}
