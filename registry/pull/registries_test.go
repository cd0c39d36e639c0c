package pull

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/compression"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"k8s.io/client-go/util/cert"
)

func TestParseRegistries(t *testing.T) {
	for _, c := range []struct {
		name, file string
		want       []string // in the error; none for a file that is right
	}{
		{"nothing", "", nil},
		{"all of it", "mirrors:\n  docker.io:\n    endpoint: [\"https://m.example/v2/hub\", \"http://n.example:5000\"]\n    rewrite: {\"^library/(.*)\": \"hub/$1\"}\n" +
			"    default_endpoint: false\n    pull_through: true\nconfigs:\n  m.example: {auth: {username: u, password: p}, tls: {insecure_skip_verify: true}}\n", nil},
		{"no YAML", "mirrors: [", []string{"line 1"}},
		{"unknown field", "mirrors:\n  docker.io:\n    endpoints: [\"https://m.example\"]\n", []string{"line 3", "endpoints"}},
		{"not a URL", "mirrors:\n  docker.io:\n    endpoint:\n    - https://m.example\n    - m.example\n", []string{"line 5: mirrors.docker.io.endpoint[1]", "m.example"}},
		{"credentials in a URL", "mirrors:\n  docker.io:\n    endpoint: [\"https://a:b@m.example\"]\n", []string{"line 3", "configs"}},
		{"bad pattern", "mirrors:\n  docker.io:\n    endpoint: [\"https://m.example\"]\n    rewrite:\n      \"(\": x\n", []string{"line 5: mirrors.docker.io.rewrite"}},
		{"nowhere to ask", "mirrors:\n  docker.io: {default_endpoint: false}\n", []string{"mirrors.docker.io: default_endpoint"}},
		{"no such CA", "configs:\n  m.example:\n    tls:\n      ca_file: /none\n", []string{"line 4: configs.m.example.tls: ca_file", "/none"}},
		{"half a pair", "configs:\n  m.example:\n    tls: {cert_file: x}\n", []string{"cert_file and key_file go together"}},
		{"a URL for a host", "configs:\n  https://m.example: {}\n", []string{"configs.https://m.example"}},
		{"two mistakes", "mirrors:\n  a.example:\n    endpoint: [x]\n  b.example:\n    endpoint: [y]\n", []string{"line 3", "line 5"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseRegistries([]byte(c.file))
			if (err == nil) != (c.want == nil) {
				t.Fatalf("error %v, want %q", err, c.want)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
		})
	}
}

func FuzzParseRegistries(f *testing.F) {
	f.Add("mirrors:\n  docker.io:\n    endpoint: [\"https://m.example\"]\n    rewrite: {\"^(.*)$\": \"x/$1\"}\n")
	f.Fuzz(func(_ *testing.T, data string) {
		if r, err := ParseRegistries([]byte(data)); err == nil {
			r.mirror("docker.io").rewritten("library/x")
		}
	})
}

func TestEndpoints(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registries.yaml")
	must(t, os.WriteFile(path, []byte(`
mirrors:
  docker.io:
    endpoint: ["https://one.example/v2/hub", "http://two.example:5000"]
    rewrite: {"^library/(.*)": "lib/$1"}
    pull_through: false
  only.example:
    endpoint: ["https://one.example"]
    default_endpoint: false
  near.example:
    pull_through: true
`), 0o600))
	p, err := New(Config{CacheDir: t.TempDir(), Engine: deaf{}, Keychain: noKeychain{}, Registries: path, Cluster: ClusterRegistry{Host: "registry.leme", Addr: "127.0.0.1:1"}})
	must(t, err)
	defer p.loopback.listener.Close()
	for repository, want := range map[string][]string{
		"busybox":         {"one.example/hub/lib/busybox", "two.example:5000/lib/busybox", "index.docker.io/library/busybox"},
		"only.example/a":  {"one.example/a"},
		"near.example/a":  {"registry.leme/a", "near.example/a"},
		"quay.io/a/b":     {"registry.leme/a/b", "quay.io/a/b"},
		"10.0.0.1:5000/a": {"10.0.0.1:5000/a"},
		"host:5000/a":     {"host:5000/a"},
		"registry.leme/a": {"registry.leme/a"},
	} {
		repo, err := name.NewRepository(repository)
		must(t, err)
		all, err := p.endpoints(t.Context(), repo, nil)
		must(t, err)
		var got []string
		for _, e := range all {
			got = append(got, e.repo.Name())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s is asked for at %q, want %q", repository, got, want)
		}
	}
}

// TestMirror pulls over a mirror with a CA of its own that wants a client's certificate and a password, and goes on
// without it once the file says so.
func TestMirror(t *testing.T) {
	e := engine(t)
	f, direct := newFaults(t)
	f.set(func(f *faults) { f.user = "anna" })
	s := httptest.NewUnstartedServer(f)
	s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS12}
	s.StartTLS()
	t.Cleanup(s.Close)
	dir := t.TempDir()
	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		must(t, os.WriteFile(path, data, 0o600))
		return path
	}
	certificate, key, err := cert.GenerateSelfSignedCertKey("node", nil, nil)
	must(t, err)
	mirror := strings.TrimPrefix(s.URL, "https://")
	ca := file("ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	if pool := x509.NewCertPool(); !pool.AppendCertsFromPEM(must1(t)(os.ReadFile(ca))) {
		t.Fatal("no CA")
	}
	path := file("registries.yaml", fmt.Appendf(nil, `
mirrors:
  hub.test:
    endpoint: ["https://127.0.0.1:1", "https://%s"]
    rewrite: {"^team/(.*)": "leme-test/$1"}
    default_endpoint: false
configs:
  %q:
    auth: {username: anna, password: x}
    tls: {ca_file: %s, cert_file: %s, key_file: %s}
`, mirror, mirror, ca, file("cert.pem", certificate), file("key.pem", key)))

	img := makeImage(t, e, makeLayer(t, 5<<20, compression.GZip))
	f.set(func(f *faults) { f.user = "" })
	push(t, e, img, "%s/leme-test/mirrored:1", direct)
	f.set(func(f *faults) { f.user = "anna" })
	p := startPuller(t, e, func(c *Config) { c.Registries = path })
	t.Cleanup(func() { forget(e, "hub.test/team/mirrored:1") })
	got, err := p.Pull(t.Context(), "hub.test/team/mirrored:1", nil, nil)
	must(t, err)
	wantImage(t, p, e, "hub.test/team/mirrored:1", img, got)

	must(t, os.WriteFile(path, []byte("mirrors:\n  hub.test:\n    endpoint: [\"https://127.0.0.1:1\"]\n    default_endpoint: false\n"), 0o600))
	if _, err := p.Pull(t.Context(), "hub.test/team/mirrored:1", nil, nil); !errors.Is(err, ErrNetwork) {
		t.Errorf("after the file has changed: %v, want ErrNetwork", err)
	}
}

func must1(t *testing.T) func([]byte, error) []byte {
	return func(data []byte, err error) []byte {
		t.Helper()
		must(t, err)
		return data
	}
}

func TestChoose(t *testing.T) {
	platform := func(s string) *v1.Platform {
		p, err := v1.ParsePlatform(s)
		must(t, err)
		return p
	}
	for _, c := range []struct{ have, want, chosen string }{
		{"linux/arm64 linux/amd64", "linux/amd64", "linux/amd64"},
		{"linux/amd64/v3 linux/amd64", "linux/amd64", "linux/amd64"},
		{"linux/amd64/v3", "linux/amd64", ""},
		{"linux/arm/v6 linux/arm/v7 linux/arm/v5", "linux/arm/v7", "linux/arm/v7"},
		{"linux/arm/v5 linux/arm/v6", "linux/arm/v7", "linux/arm/v6"},
		{"linux/arm/v7", "linux/arm/v6", ""},
		{"linux/arm/v7 linux/arm64", "linux/arm64/v8", "linux/arm64"},
		{"linux/arm/v7", "linux/arm64", "linux/arm/v7"},
		{"linux/386", "linux/amd64", "linux/386"},
		{"windows/amd64", "linux/amd64", ""},
	} {
		var all []v1.Descriptor
		for _, p := range strings.Fields(c.have) {
			all = append(all, v1.Descriptor{Platform: platform(p)})
		}
		got := ""
		if d, ok := choose(all, *platform(c.want)); ok {
			got = d.Platform.String()
		}
		if got != c.chosen {
			t.Errorf("of %s for %s: %q, want %q", c.have, c.want, got, c.chosen)
		}
	}
}

// TestMayUse pulls a private image with a secret; who has neither it nor what it says may not use what is here.
func TestMayUse(t *testing.T) {
	e := engine(t)
	f, host := newFaults(t)
	img := makeImage(t, e, makeLayer(t, 1000, compression.GZip))
	ref := push(t, e, img, "%s/leme-test/private:1", host)
	secret := func(name, user string) []Secret {
		return []Secret{{Namespace: "default", Name: name, UID: name, DockerConfigJSON: fmt.Appendf(nil, `{"auths":{%q:{"username":%q,"password":"x"}}}`, host, user)}}
	}
	p := startPuller(t, e)
	if !p.MayUse(configName(t, img), ref, nil) {
		t.Error("an image that this node did not pull is not to be had")
	}
	f.set(func(f *faults) { f.user = "anna" })
	got, err := p.Pull(t.Context(), ref, secret("one", "anna"), nil)
	must(t, err)
	for _, c := range []struct {
		name    string
		ref     string
		secrets []Secret
		may     bool
	}{
		{"the same secret", ref, secret("one", "anna"), true},
		{"the same secret, renewed", ref, secret("one", "bert"), true},
		{"another secret that says the same", ref, secret("two", "anna"), true},
		{"another tag", strings.TrimSuffix(ref, "1") + "2", secret("one", "anna"), true},
		{"another secret", ref, secret("two", "bert"), false},
		{"no secret", ref, nil, false},
		{"another repository", host + "/leme-test/other:1", secret("one", "anna"), false},
		{"by ID, no secret", got.ImageID, nil, false},
		{"by ID", got.ImageID, secret("one", "anna"), true},
	} {
		if may := p.MayUse(got.ImageID, c.ref, c.secrets); may != c.may {
			t.Errorf("%s: %v, want %v", c.name, may, c.may)
		}
	}
	if _, err := p.Pull(t.Context(), ref, secret("two", "bert"), nil); !errors.Is(err, ErrDenied) {
		t.Errorf("pulled with a wrong secret: %v", err)
	}
	f.set(func(f *faults) { f.user = "" })
	_, err = p.Pull(t.Context(), ref, nil, nil)
	must(t, err)
	if !p.MayUse(got.ImageID, ref, nil) {
		t.Error("what has become open to all is not to be had")
	}
	must(t, p.records.forget(func(string) bool { return false }))
	if entries, err := os.ReadDir(p.records.dir); err != nil || len(entries) > 0 {
		t.Errorf("records left: %v, %v", entries, err)
	}
}
