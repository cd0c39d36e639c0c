package rest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"leme/server/auth"
)

// info is what a request's method and path say, in the API's terms.
type info struct {
	// Verb is the API's ("list"), or the method in lower case where the path names no resource.
	Verb string
	// Resource is empty where the path names none: then only Path says something.
	schema.GroupVersionResource
	Subresource string
	Namespace   string // of a namespaced path; for namespaces themselves, their own name
	Name        string // in the path
	Rest        string // what follows a subresource: the path behind a proxy, with its leading slash
	Path        string
}

// namespaceSubresources are what stands behind a namespace's name without being a resource in it.
var namespaceSubresources = []string{"status", "finalize"}

// parseInfo reads a path: /api/v1/…, /apis/GROUP/VERSION/…, with the old /watch/ prefix, or none of the API's.
func parseInfo(method, path string, query url.Values) info {
	i := info{Verb: strings.ToLower(method), Path: path}
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case parts[0] == "api" && len(parts) > 2:
		i.Version, parts = parts[1], parts[2:]
	case parts[0] == "apis" && len(parts) > 3:
		i.Group, i.Version, parts = parts[1], parts[2], parts[3:]
	default:
		return i
	}
	oldWatch := parts[0] == "watch" && len(parts) > 1
	if oldWatch {
		parts = parts[1:]
	}
	if parts[0] == "namespaces" && len(parts) > 1 {
		i.Namespace = parts[1]
		if len(parts) > 2 && !slices.Contains(namespaceSubresources, parts[2]) {
			parts = parts[2:]
		}
	}
	if parts[0] == "" {
		return info{Verb: i.Verb, Path: path}
	}
	i.Resource = parts[0]
	if len(parts) > 1 {
		i.Name = parts[1]
	}
	if len(parts) > 2 {
		i.Subresource = parts[2]
		i.Rest = behind(path, parts[3:])
	}
	if oldWatch && i.Name != "" {
		query.Set("fieldSelector", "metadata.name="+i.Name)
		i.Name = ""
	}
	i.Verb = verb(method, i.Name != "", oldWatch || isTrue(query, "watch"))
	return i
}

// behind is what a proxied path has after its subresource, a closing slash included.
func behind(path string, parts []string) string {
	rest := ""
	for _, p := range parts {
		rest += "/" + p
	}
	if strings.HasSuffix(path, "/") {
		rest += "/"
	}
	return rest
}

func verb(method string, named, watching bool) string {
	switch method {
	case http.MethodPost:
		return "create"
	case http.MethodPut:
		return "update"
	case http.MethodPatch:
		return "patch"
	case http.MethodDelete:
		if named {
			return "delete"
		}
		return "deletecollection"
	case http.MethodGet, http.MethodHead:
		switch {
		case named:
			return "get"
		case watching:
			return "watch"
		}
		return "list"
	}
	return strings.ToLower(method)
}

// attributes is the request as an authorizer sees it. A list of one object by its name is about that object.
func (i info) attributes(query url.Values) auth.Attributes {
	if i.Resource == "" {
		return auth.Attributes{Verb: i.Verb, Path: i.Path}
	}
	name := i.Name
	if name == "" && i.Verb != "create" {
		name = selectedName(query.Get("fieldSelector"))
	}
	return auth.Attributes{
		Verb: i.Verb, Group: i.Group, Resource: i.Resource, Subresource: i.Subresource,
		Namespace: i.Namespace, Name: name, FieldSelector: query.Get("fieldSelector"),
	}
}

func selectedName(selector string) string {
	if selector == "" {
		return ""
	}
	parsed, err := fields.ParseSelector(selector)
	if err != nil {
		return ""
	}
	name, _ := parsed.RequiresExactMatch("metadata.name")
	return name
}

// longRunning says whether a request lasts as long as its client likes: it is not counted or timed with the others.
func (i info) longRunning(query url.Values) bool {
	switch i.Subresource {
	case "exec", "attach", "portforward", "proxy":
		return true
	case "log":
		return isTrue(query, "follow")
	}
	return i.Verb == "watch"
}

// isTrue reads a boolean parameter as Kubernetes does: "0" and "false" are false, and so is one that is not there.
func isTrue(query url.Values, name string) bool {
	values, ok := query[name]
	if !ok || len(values) == 0 {
		return false
	}
	return values[0] != "0" && !strings.EqualFold(values[0], "false")
}
