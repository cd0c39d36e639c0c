package rest

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"leme/server/auth"
	"leme/server/auth/rbac"
	"leme/server/auth/token"
	"leme/server/gather"
	"leme/server/h2"
	"leme/server/kind"
	"leme/server/openapi"
	"leme/server/resource"
	"leme/server/resource/resourcetest"
	"leme/server/store/storetest"
)

// byHeader authenticates whoever says who they are: X-User, and X-Group.
type byHeader struct{}

func (byHeader) Authenticate(r *http.Request) (auth.User, bool, error) {
	switch name := r.Header.Get("X-User"); name {
	case "":
		return auth.User{}, false, nil
	case "mallory":
		return auth.User{}, false, auth.ErrBadCredentials
	default:
		return auth.User{Name: name, Groups: []string{r.Header.Get("X-Group"), auth.GroupAuthenticated}}, true, nil
	}
}

// bed is a handler over a real store.
type bed struct {
	*Handler
	url    string
	server *httptest.Server
	secure *httptest.Server // the same over TLS, as clients ask: by HTTP/2, with what is pushed
}

func newBed(t testing.TB, agents *tls.Config) *bed {
	t.Helper()
	kinds := kind.All()
	access := rbac.NewIndex()
	authorizer := auth.Any{auth.Superusers, access}
	api := resource.New(storetest.New(t), kinds, resource.WithGuards(rbac.CreateGuard(authorizer), access.Guard(authorizer)))
	follow(t, api, access)
	key, err := token.OpenKeys(filepath.Join(t.TempDir(), "sa.key"))
	if err != nil {
		t.Fatal(err)
	}
	h, err := New(Config{
		API: api, Documents: openapi.New(kinds), Authenticator: byHeader{}, Authorizer: authorizer, Tokens: token.New(key, api), Agents: agents, Version: "test",
		Mounts: []Mount{{Prefix: "/v2/", Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "mounted") })}},
	})
	if err != nil {
		t.Fatal(err)
	}
	server, secure := httptest.NewServer(h), httptest.NewUnstartedServer(h)
	secure.EnableHTTP2 = true
	h2.Configure(secure.Config)
	secure.Listener = gather.Listener(secure.Listener)
	secure.StartTLS()
	t.Cleanup(func() {
		h.Close()
		server.Close()
		secure.Close()
	})
	b := &bed{Handler: h, url: server.URL, server: server, secure: secure}
	resourcetest.Namespace(t, b.api, "default", nil)
	return b
}

// follow keeps the access of the default roles, and of what a test makes, until the test ends.
func follow(t testing.TB, api *resource.API, access *rbac.Index) {
	t.Helper()
	if err := rbac.Reconcile(t.Context(), api, "test"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	known, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- access.Run(ctx, api, func() { close(known) }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("following who may do what: %v", err)
		}
	})
	<-known
}

// do sends "METHOD /path" as an admin, with headers given as "Name: value".
func (b *bed) do(t testing.TB, request, body string, headers ...string) (status int, header http.Header, answer string) {
	t.Helper()
	method, path, _ := strings.Cut(request, " ")
	r, err := http.NewRequestWithContext(t.Context(), method, b.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-User", "admin")
	r.Header.Set("X-Group", auth.GroupMasters)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(raw)
}

// pod is a valid pod as JSON.
func podJSON(name string) string {
	return `{"kind":"Pod","apiVersion":"v1","metadata":{"name":"` + name + `"},"spec":{"containers":[{"name":"web","image":"web:1"}]}}`
}
