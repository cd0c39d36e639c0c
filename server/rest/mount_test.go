package rest

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"leme/server/auth"
)

// TestMount: a mount's requests are authorized as what it says they are, refused in its own words, and its handler can
// ask what else the client may do.
func TestMount(t *testing.T) {
	b := newBed(t, &tls.Config{})
	repository := func(r *http.Request) string { return strings.TrimPrefix(r.URL.Path, "/v2/") }
	b.mounts = []Mount{{
		Prefix: "/v2/",
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "reads other: %t", auth.Permits(r.Context(), auth.ImageAttributes("get", "other/web")))
		}),
		Attributes: func(r *http.Request) auth.Attributes { return auth.ImageAttributes("update", repository(r)) },
		Refuse: func(w http.ResponseWriter, status int, message string) {
			w.WriteHeader(status)
			fmt.Fprintf(w, "refused: %s", message)
		},
	}}
	b.fixed = b.fixedPaths(b.mounts)
	for path, body := range map[string]string{
		"/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles": `{"metadata":{"name":"pusher"},
			"rules":[{"apiGroups":["registry.leme"],"resources":["images"],"resourceNames":["web","a/b"],"verbs":["update"]}]}`,
		"/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings": `{"metadata":{"name":"pusher"},
			"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"pusher"},
			"subjects":[{"kind":"User","apiGroup":"rbac.authorization.k8s.io","name":"jane"}]}`,
	} {
		if code, _, answer := b.do(t, "POST "+path, body); code != 201 {
			t.Fatalf("%d %s", code, answer)
		}
	}
	err := wait.PollUntilContextTimeout(t.Context(), time.Millisecond, 10*time.Second, true, func(context.Context) (bool, error) {
		allowed, _ := b.authz.Authorize(auth.User{Name: "jane"}, auth.ImageAttributes("update", "default/web"))
		return allowed, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path, user string
		code       int
		want       string
	}{
		{"default/web", "jane", 200, "reads other: false"},
		{"default/a/b", "jane", 200, "reads other: false"},
		{"default/other", "jane", 403, `refused: images.registry.leme "other" is forbidden: User "jane" cannot update resource "images" in API group "registry.leme" in the namespace "default"`},
		{"web", "jane", 403, `cannot update resource "images" in API group "registry.leme" at the cluster scope`},
		{"default/web", "", 401, "refused: Unauthorized"},
		{"default/web", "admin", 200, "reads other: true"},
	} {
		headers := []string{"X-User: " + c.user, "X-Group: staff"}
		if c.user == "admin" {
			headers = nil
		}
		code, _, body := b.do(t, "PUT /v2/"+c.path, "", headers...)
		if code != c.code || !strings.Contains(body, c.want) {
			t.Errorf("%s as %q: %d %s, want %d %s", c.path, c.user, code, body, c.code, c.want)
		}
	}
}
