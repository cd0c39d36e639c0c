package pull

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"sort"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
)

// credential is one entry of a pull secret: what opens the repositories that pattern matches.
type credential struct {
	host, path string // host may have * in its labels; path is a prefix, empty for all
	auth       authn.AuthConfig
	source     string // what it came from, for records
}

// parseSecrets reads pull secrets in order. A secret that cannot be read is an error: whoever gave it expects it to count.
func parseSecrets(secrets []Secret) ([]credential, error) {
	var out []credential
	for i, s := range secrets {
		var file struct {
			Auths map[string]authn.AuthConfig `json:"auths"`
		}
		var err error
		switch {
		case len(s.DockerConfigJSON) > 0:
			err = json.Unmarshal(s.DockerConfigJSON, &file)
		case len(s.DockerCfg) > 0:
			err = json.Unmarshal(s.DockerCfg, &file.Auths)
		}
		if err != nil {
			return nil, fmt.Errorf("image pull secret %d: %w", i+1, err)
		}
		for server, auth := range file.Auths {
			host, prefix := splitServer(server)
			out = append(out, credential{host, prefix, auth, s.source()})
		}
	}
	return out, nil
}

// splitServer reads the key of an entry: a host, a host and path, or a URL as docker login writes for Docker Hub.
func splitServer(server string) (host, prefix string) {
	_, rest, isURL := strings.Cut(server, "://")
	if !isURL {
		rest = server
	}
	host, prefix, _ = strings.Cut(rest, "/")
	prefix = strings.Trim(prefix, "/")
	if prefix == "v1" || prefix == "v2" {
		prefix = ""
	}
	if host == "docker.io" || host == "registry-1.docker.io" {
		host = name.DefaultRegistry
	}
	return strings.ToLower(host), prefix
}

// matching gives the credentials that fit a repository, the longest path first.
func matching(all []credential, repo name.Repository) []credential {
	var out []credential
	for _, c := range all {
		if matchHost(c.host, repo.RegistryStr()) && matchPath(c.path, repo.RepositoryStr()) {
			out = append(out, c)
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return len(out[i].path) > len(out[j].path) })
	return out
}

// matchHost compares label by label, so that * stands for one label's text and never for a dot.
func matchHost(pattern, host string) bool {
	p, h := strings.Split(pattern, "."), strings.Split(strings.ToLower(host), ".")
	if len(p) != len(h) {
		return false
	}
	for i := range p {
		if ok, err := path.Match(p[i], h[i]); err != nil || !ok {
			return false
		}
	}
	return true
}

// matchPath reports whether prefix is repo or a folder above it.
func matchPath(prefix, repo string) bool {
	return prefix == "" || prefix == repo || strings.HasPrefix(repo, prefix+"/")
}

// authenticators lists what to try for a repository, in order: the pull's secrets, what the registries' configuration
// and then the node's own have, and nothing. source says of each what it came from.
func (p *Puller) authenticators(ctx context.Context, all []credential, configured authn.AuthConfig, repo name.Repository) (out []authn.Authenticator, source []string) {
	for _, c := range matching(all, repo) {
		out, source = append(out, authn.FromConfig(c.auth)), append(source, c.source)
	}
	if configured != (authn.AuthConfig{}) {
		out, source = append(out, authn.FromConfig(configured)), append(source, fromNode)
	}
	own, err := p.keychain.resolve(ctx, repo)
	if err != nil {
		p.cfg.Log.Warn("asking for the node's credentials", "registry", repo.RegistryStr(), "err", err)
	} else if own != authn.Anonymous {
		out, source = append(out, own), append(source, fromNode)
	}
	return append(out, authn.Anonymous), append(source, fromNobody)
}

// helperPatience bounds how long a credential helper may take.
const helperPatience = 10 * time.Second

// patientKeychain asks a keychain, which may run programs, one question at a time and not for too long.
type patientKeychain struct {
	authn.Keychain
	turn chan struct{} // holds a value while a question is asked
}

var errHelper = errors.New("the credential helper does not answer")

func (k *patientKeychain) resolve(ctx context.Context, repo name.Repository) (authn.Authenticator, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, helperPatience, errHelper)
	defer cancel()
	select {
	case k.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	type answer struct {
		auth authn.Authenticator
		err  error
	}
	answers := make(chan answer, 1)
	go func() { // it cannot be stopped; the next question waits for its end, or gives up too
		auth, err := authn.Resolve(ctx, k.Keychain, repo)
		<-k.turn
		answers <- answer{auth, err}
	}()
	select {
	case a := <-answers:
		return a.auth, a.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
