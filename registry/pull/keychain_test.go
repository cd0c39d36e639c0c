package pull

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
)

func TestMatching(t *testing.T) {
	for _, c := range []struct {
		secret, repo string
		want         []string // user names, in order
	}{
		{`{"a.example":{"username":"u"}}`, "a.example/x", []string{"u"}},
		{`{"https://a.example/v1/":{"username":"u"}}`, "a.example/x", []string{"u"}},
		{`{"a.example":{"auth":"dXNlcjpwYXNz"}}`, "a.example/x", []string{"user"}},
		{`{"b.example":{"username":"u"}}`, "a.example/x", nil},
		{`{"*.example":{"username":"u"}}`, "a.example/x", []string{"u"}},
		{`{"*.example":{"username":"u"}}`, "a.b.example/x", nil},
		{`{"a.example:5000":{"username":"u"}}`, "a.example:5000/x", []string{"u"}},
		{`{"a.example":{"username":"all"},"a.example/team":{"username":"team"}}`, "a.example/team/x", []string{"team", "all"}},
		{`{"a.example/team":{"username":"team"}}`, "a.example/teams/x", nil},
		{`{"https://index.docker.io/v1/":{"username":"hub"}}`, "docker.io/library/x", []string{"hub"}},
		{`{"docker.io":{"username":"hub"}}`, "library/x", []string{"hub"}},
	} {
		repo, err := name.NewRepository(c.repo)
		must(t, err)
		for _, s := range []Secret{{DockerCfg: []byte(c.secret)}, {DockerConfigJSON: []byte(`{"auths":` + c.secret + `}`)}} {
			all, err := parseSecrets([]Secret{s})
			must(t, err)
			var got []string
			for _, m := range matching(all, repo) {
				got = append(got, m.auth.Username)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s for %s: %q, want %q", c.secret, c.repo, got, c.want)
			}
		}
	}
}

func TestLocalName(t *testing.T) {
	const d = "sha256:0123456789012345678901234567890123456789012345678901234567890123"
	const tag = ":sha256-0123456789012345678901234567890123456789012345678901234567890123"
	for ref, want := range map[string]string{
		"hello":                 "docker.io/library/hello:latest",
		"registry.leme/hello:1": "registry.leme/hello:1",
		"a.example/x@" + d:      "a.example/x" + tag,
		"a.example/x:1@" + d:    "a.example/x" + tag,
		"a.example:5000/x/y:v1": "a.example:5000/x/y:v1",
		"Upper":                 "",
		"a b":                   "",
		"a.example/x@sha256:12": "",
	} {
		got, err := LocalName(ref)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v, want %q", ref, got, err, want)
		}
		digest := ""
		if strings.HasSuffix(want, tag) {
			digest = "a.example/x@" + d
		}
		if got := RepoDigest(want); got != digest {
			t.Errorf("%q is of digest %q, want %q", want, got, digest)
		}
	}
}

// TestGate fills a gate and lets others wait: the lowest rank comes first, and who stops waiting takes no place.
func TestGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1)
		must(t, g.enter(t.Context(), 0))
		entered := make(chan int)
		for _, rank := range []int{3, 1, 2} {
			go func() {
				if g.enter(context.Background(), rank) == nil {
					entered <- rank
					g.leave()
				}
			}()
		}
		gone, cancel := context.WithCancel(t.Context())
		left := make(chan error)
		go func() { left <- g.enter(gone, 0) }()
		synctest.Wait()
		cancel()
		if err := <-left; err == nil {
			t.Fatal("entered after giving up")
		}
		g.leave()
		if got := []int{<-entered, <-entered, <-entered}; !slices.Equal(got, []int{1, 2, 3}) {
			t.Errorf("order %v", got)
		}
	})
}

// waits is a keychain whose helper hangs until it is released.
type waits struct{ asked, released chan struct{} }

func (w waits) Resolve(authn.Resource) (authn.Authenticator, error) {
	w.asked <- struct{}{}
	<-w.released
	return authn.Anonymous, nil
}

// TestStuckHelper: pulls go on without a credential helper that hangs, and it is asked once.
func TestStuckHelper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := make(chan struct{}, 10)
		released := make(chan struct{})
		k := patientKeychain{waits{asked, released}, make(chan struct{}, 1)}
		for range 2 {
			begin := time.Now()
			if _, err := k.resolve(t.Context(), name.Repository{}); !errors.Is(err, errHelper) || time.Since(begin) != helperPatience {
				t.Errorf("after %s: %v", time.Since(begin), err)
			}
		}
		close(released)
		synctest.Wait()
		if _, err := k.resolve(t.Context(), name.Repository{}); err != nil || len(asked) != 2 {
			t.Errorf("asked %d times, %v", len(asked), err)
		}
	})
}
