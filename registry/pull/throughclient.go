package pull

import (
	"net/netip"
	"net/url"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
)

// throughParameter names the registry that the cluster's registry is asked to pull from, as mirrors of containerd do.
const throughParameter = "ns"

// throughEndpoint asks the cluster's registry for an image of the outside world, without any credentials of the pull:
// what comes is open to all. It is asked where mirrors say so, or say nothing and the registry is out in the world.
func (p *Puller) throughEndpoint(repo name.Repository, m mirror) (endpoint, bool) {
	host := canonicalHost(repo.RegistryStr())
	if p.cfg.Cluster.Host == "" {
		return endpoint{}, false
	}
	if m.pullThrough != nil && !*m.pullThrough || m.pullThrough == nil && !outside(host) {
		return endpoint{}, false
	}
	own, err := name.NewRegistry(p.cfg.Cluster.Host)
	if err != nil {
		return endpoint{}, false
	}
	e := p.clusterEndpoint(own.Repo(repo.RepositoryStr()))
	e.query, e.tentative = url.Values{throughParameter: {host}}, true
	if e.auths[0] == nil {
		e.auths = []authn.Authenticator{authn.Anonymous}
	}
	return e, true
}

// outside reports whether a host is out in the world, by its name: one with a domain that is not a private one.
func outside(hostPort string) bool {
	host, _, _ := strings.Cut(hostPort, ":")
	if _, err := netip.ParseAddr(strings.Trim(hostPort, "[]")); err == nil {
		return false
	}
	if _, err := netip.ParseAddr(host); err == nil || strings.HasPrefix(hostPort, "[") || !strings.Contains(host, ".") {
		return false
	}
	for _, private := range []string{".local", ".localhost", ".internal", ".lan", ".home.arpa", ".test", ".invalid", ".example", ".leme"} {
		if strings.HasSuffix(host, private) {
			return false
		}
	}
	return true
}
