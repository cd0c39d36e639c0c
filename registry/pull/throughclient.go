package pull

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
)

// ThroughParameter names the registry that the cluster's registry is asked to pull from, as mirrors of containerd do.
const ThroughParameter = "ns"

// throughPause is how long the cluster's registry is not asked for a registry's images after it could not reach that.
const throughPause = time.Minute

// throughEndpoint asks the cluster's registry for an image of the outside world, without any credentials of the pull:
// what comes is open to all. It is asked where mirrors say so, or say nothing and the registry is out in the world.
func (p *Puller) throughEndpoint(repo name.Repository, m mirror) (endpoint, bool) {
	host := canonicalHost(repo.RegistryStr())
	if _, failed := p.throughFailed.get(host); failed || p.cfg.Cluster.Host == "" {
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
	e.query, e.tentative = url.Values{ThroughParameter: {host}}, true
	e.failed = func(err error) {
		if _, kind := classify(err); !errors.Is(kind, ErrNotFound) {
			p.throughFailed.put(host, true, nil, throughPause)
		}
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
