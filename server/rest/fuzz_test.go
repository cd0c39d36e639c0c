package rest

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// FuzzInfo: whatever a path and its parameters are, they are read without harm, and no resource has an empty verb.
func FuzzInfo(f *testing.F) {
	f.Add("GET", "/api/v1/namespaces/a/pods/b/log", "follow=1")
	f.Add("POST", "/apis/apps/v1/watch/namespaces//deployments", "watch=true&fieldSelector=metadata.name%3Da")
	f.Add("DELETE", "//api//", "limit=-1&continue=%ff")
	f.Fuzz(func(t *testing.T, method, path, query string) {
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		i := parseInfo(method, path, values)
		a := i.attributes(values)
		if (a.Resource == "") != (i.Resource == "") || a.Resource == "" && a.Path != path {
			t.Errorf("%s %s is %+v", method, path, a)
		}
		if i.longRunning(values) && i.Verb != "watch" && i.Subresource == "" {
			t.Errorf("%s %s lasts", method, path)
		}
	})
}

// FuzzAccept: a header is answered with a form that is served, or with none.
func FuzzAccept(f *testing.F) {
	f.Add("application/json;as=Table;v=v1;g=meta.k8s.io,application/json;q=0.5", false)
	f.Add("application/vnd.kubernetes.protobuf;stream=watch, */*;q=nan", true)
	f.Fuzz(func(t *testing.T, header string, watching bool) {
		a, ok := negotiate(header, watching)
		if ok == (a.format == "") {
			t.Errorf("%q: %+v, %v", header, a, ok)
		}
	})
}

// FuzzImpersonate: headers name a user, or are refused.
func FuzzImpersonate(f *testing.F) {
	f.Add("jane", "system:masters", "acme.com%2fscopes", "x")
	f.Add("", "", "%", "")
	f.Fuzz(func(t *testing.T, user, group, key, value string) {
		header := http.Header{"Impersonate-User": {user}, "Impersonate-Group": {group}}
		header["Impersonate-Extra-"+key] = []string{value}
		as, asked, err := impersonated(header)
		if err == nil && asked && as.Name == "" {
			t.Error("nobody is impersonated")
		}
		if len(impersonations(withImpliedGroups(as))) == 0 || strings.Contains(as.Name, "\n") && as.Name != user {
			t.Error("nothing needs to be allowed")
		}
	})
}
