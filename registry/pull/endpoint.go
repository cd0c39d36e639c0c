package pull

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
)

// endpoint is one place where a repository may be found.
type endpoint struct {
	repo      name.Repository
	transport http.RoundTripper
	auths     []authn.Authenticator // to try in turn
	sources   []string              // what each of them came from, for records: see credentialed
	query     url.Values            // of requests for manifests and blobs
	tentative bool                  // whatever goes wrong there, the next one is asked; there is one
	failed    func(error)           // is told what went wrong, where it is set
}

func (e *endpoint) fail(err error) {
	if e.failed != nil {
		e.failed(err)
	}
}

// endpoints lists where to ask for a repository, in order: the cluster's registry in place of the outside world, the
// mirrors, the registry itself.
func (p *Puller) endpoints(ctx context.Context, repo name.Repository, credentials []credential) ([]endpoint, error) {
	if c := p.cfg.Cluster; c.Host != "" && c.Host == repo.RegistryStr() {
		return []endpoint{p.clusterEndpoint(repo)}, nil
	}
	setup := p.registries.now(p.newHosts)
	host := canonicalHost(repo.RegistryStr())
	m := setup.mirror(host)
	var all []endpoint
	if e, ok := p.throughEndpoint(repo, m); ok {
		all = append(all, e)
	}
	for _, u := range m.endpoints {
		e, err := setup.at(u, m.rewritten(repo.RepositoryStr()))
		if err != nil {
			return nil, err
		}
		e.tentative = true
		all = append(all, e)
	}
	if !m.noDefault {
		all = append(all, endpoint{repo: repo, transport: setup.hosts.direct(repo.Registry)})
	}
	all[len(all)-1].tentative = false // whoever says that there is no endpoint at all is refused by ParseRegistries
	for i := range all {
		if all[i].auths == nil {
			all[i].auths, all[i].sources = p.authenticators(ctx, credentials, setup.config(all[i].repo.RegistryStr()).auth, all[i].repo)
		}
	}
	return all, nil
}

// at is a repository at a mirror. One with a path has all repositories below it.
func (s *setup) at(u *url.URL, repository string) (endpoint, error) {
	options := []name.Option{name.WeakValidation}
	if u.Scheme == "http" {
		options = append(options, name.Insecure)
	}
	host, err := name.NewRegistry(u.Host, options...)
	if err != nil {
		return endpoint{}, fmt.Errorf("the mirror %s: %w", u.Host, err)
	}
	full := strings.TrimPrefix(u.Path+"/"+repository, "/")
	if _, err := name.NewRepository(host.RegistryStr()+"/"+full, options...); err != nil {
		return endpoint{}, fmt.Errorf("the mirror %s: %w", u.Host, err)
	}
	return endpoint{repo: host.Repo(full), transport: overScheme{s.hosts, host.RegistryStr(), u.Scheme}}, nil
}

// direct reaches a registry that nothing is said of: over TLS, or, on a loopback address alone, without.
func (h *hosts) direct(r name.Registry) http.RoundTripper {
	if isLoopback(r.RegistryStr()) {
		return h
	}
	return overScheme{h, r.RegistryStr(), "https"}
}

func isLoopback(hostPort string) bool {
	host, _, err := net.SplitHostPort(hostPort)
	if err != nil {
		host = hostPort
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && addr.IsLoopback()
}

func (p *Puller) newHosts(r *Registries) *hosts {
	return newHosts(p.cfg.Transport, r)
}
