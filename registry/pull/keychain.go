package pull

import (
	"encoding/json"
	"fmt"
	"path"
	"sort"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
)

// credential is one entry of a pull secret: what opens the repositories that pattern matches.
type credential struct {
	host, path string // host may have * in its labels; path is a prefix, empty for all
	auth       authn.AuthConfig
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
			out = append(out, credential{host, prefix, auth})
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

// authenticators lists what to try for a repository, in order: the pull's secrets, the node's own, and without any.
func authenticators(all []credential, node authn.Keychain, repo name.Repository) []authn.Authenticator {
	var out []authn.Authenticator
	for _, c := range matching(all, repo) {
		out = append(out, authn.FromConfig(c.auth))
	}
	if own, err := node.Resolve(repo); err == nil && own != authn.Anonymous {
		out = append(out, own)
	}
	return append(out, authn.Anonymous)
}
