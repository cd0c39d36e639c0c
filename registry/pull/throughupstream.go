package pull

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// answers are what was learnt for a while, bounded in number.
type answers[T any] struct {
	mu  sync.Mutex
	all map[string]answer[T]
}

type answer[T any] struct {
	value T
	err   error
	until time.Time
}

const maxAnswers = 10_000

func (a *answers[T]) get(key string) (answer[T], bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	found, ok := a.all[key]
	return found, ok && time.Now().Before(found.until)
}

// last is an answer of any age.
func (a *answers[T]) last(key string) (T, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	found, ok := a.all[key]
	return found.value, ok && found.err == nil
}

func (a *answers[T]) put(key string, value T, err error, age time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.all) >= maxAnswers || a.all == nil {
		a.all = map[string]answer[T]{}
	}
	a.all[key] = answer[T]{value, err, time.Now().Add(age)}
}

// upstream is a repository where it is found, open to all.
type upstream struct {
	repo   name.Repository
	client *http.Client
}

// manifest finds what a tag or a digest of a repository is. One question at a time is asked for all who want to know.
func (t *Through) manifest(ctx context.Context, repo name.Repository, ref string) (manifest, error) {
	key := repo.Name() + "@" + ref
	digest, noDigest := v1.NewHash(ref)
	if noDigest == nil {
		if m, ok := t.manifests.get(digest); ok {
			return m, nil
		}
	}
	if a, ok := t.tags.get(key); ok {
		return a.value, a.err
	}
	found := t.questions.DoChan(key, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askingTime)
		defer cancel()
		return t.ask(ctx, repo, ref, key)
	})
	select {
	case r := <-found:
		m, _ := r.Val.(manifest)
		return m, r.Err
	case <-ctx.Done():
		return manifest{}, ctx.Err()
	}
}

// ask brings a manifest from where the repository is. A tag that was known before is believed when nobody answers.
func (t *Through) ask(ctx context.Context, repo name.Repository, ref, key string) (manifest, error) {
	m, err := t.askUpstream(ctx, repo, ref)
	if err == nil {
		t.tags.put(key, m, nil, tagAge)
		return m, nil
	}
	if _, kind := classify(err); errors.Is(kind, ErrNetwork) {
		if known, ok := t.tags.last(key); ok {
			t.cfg.Log.Warn("a registry does not answer; its tag is taken for what it was", "repository", repo.Name(), "tag", ref, "err", err)
			t.tags.put(key, known, nil, tagAge)
			return known, nil
		}
	}
	t.tags.put(key, manifest{}, err, refusalAge)
	return manifest{}, err
}

func (t *Through) askUpstream(ctx context.Context, repo name.Repository, ref string) (manifest, error) {
	up, err := t.upstream(ctx, repo)
	if err != nil {
		return manifest{}, err
	}
	var at name.Reference = up.repo.Tag(ref)
	if strings.Contains(ref, ":") {
		at = up.repo.Digest(ref)
	}
	options := []remote.Option{remote.WithContext(ctx), remote.WithTransport(up.client.Transport)}
	if known, ok := t.tags.last(repo.Name() + "@" + ref); ok { // a HEAD is not counted by those who count
		if desc, err := remote.Head(at, options...); err == nil && desc.Digest == known.digest {
			return known, nil
		}
	}
	desc, err := remote.Get(at, options...)
	if err != nil {
		return manifest{}, err
	}
	m := manifest{kind: string(desc.MediaType), digest: desc.Digest, body: desc.Manifest}
	return m, t.manifests.put(m)
}

// upstream finds who has a repository: the mirrors that registries.yaml names, in turn, or the registry itself.
func (t *Through) upstream(ctx context.Context, repo name.Repository) (*upstream, error) {
	if a, ok := t.upstreams.get(repo.Name()); ok {
		return a.value, a.err
	}
	setup := t.registries.now(t.newHosts)
	host := canonicalHost(repo.RegistryStr())
	m, listed := setup.mirrors[host]
	if !listed && !outside(host) {
		return nil, fmt.Errorf("%w: %s is not in the outside world, nor listed in registries.yaml", ErrNotFound, host)
	}
	if !listed {
		m = setup.mirrors[anyHost]
	}
	var places []endpoint
	for _, u := range m.endpoints {
		e, err := setup.at(u, m.rewritten(repo.RepositoryStr()))
		if err != nil {
			return nil, err
		}
		places = append(places, e)
	}
	if !m.noDefault {
		places = append(places, endpoint{repo: repo, transport: setup.hosts.direct(repo.Registry)})
	}
	var failed error
	for _, e := range places {
		rt, err := transport.NewWithContext(ctx, e.repo.Registry, authn.Anonymous, e.transport, []string{e.repo.Scope(transport.PullScope)})
		if err == nil {
			up := &upstream{e.repo, &http.Client{Transport: rt}}
			t.upstreams.put(repo.Name(), up, nil, upstreamAge)
			return up, nil
		}
		failed = err
	}
	t.upstreams.put(repo.Name(), nil, failed, refusalAge)
	return nil, failed
}

// blob finds how large a blob is. One that is here is asked for nowhere.
func (t *Through) blob(ctx context.Context, repo name.Repository, h v1.Hash) (layer, *upstream, error) {
	up, err := t.upstream(ctx, repo)
	if size, ok := t.blobs.size(h); ok {
		return layer{digest: h, size: size}, up, nil
	}
	if err != nil {
		return layer{}, nil, err
	}
	size, err, _ := t.questions.Do("size of "+repo.Name()+"@"+h.String(), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askingTime)
		defer cancel()
		return up.size(ctx, h)
	})
	if err != nil {
		return layer{}, nil, err
	}
	l := layer{digest: h, size: size.(int64)}
	if l.size > t.cfg.Limit {
		return layer{}, nil, fmt.Errorf("blob %s has %d bytes, more than are kept here", h, l.size)
	}
	return l, up, nil
}

// size asks how many bytes a blob has.
func (u *upstream) size(ctx context.Context, h v1.Hash) (int64, error) {
	where := url.URL{Scheme: u.repo.Scheme(), Host: u.repo.RegistryStr(), Path: "/v2/" + u.repo.RepositoryStr() + "/blobs/" + h.String()}
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, where.String(), nil)
	if err != nil {
		return 0, err
	}
	resp, err := u.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if err := transport.CheckError(resp, http.StatusOK); err != nil {
		return 0, err
	}
	if resp.ContentLength < 0 {
		return 0, fmt.Errorf("%w: %s does not say how large %s is", errAnswer, u.repo.RegistryStr(), h)
	}
	return resp.ContentLength, nil
}

// newHosts reaches the hosts that registries.yaml names, and of all others those with addresses of the outside world:
// whoever may pull through must not reach through this machine what is near it.
func (t *Through) newHosts(r *Registries) *hosts {
	trusted := r.named()
	base := t.cfg.Transport.Clone()
	if base.Proxy != nil {
		for _, scheme := range []string{"http", "https"} {
			u, err := base.Proxy(&http.Request{URL: &url.URL{Scheme: scheme, Host: "registry.example"}})
			if err == nil && u != nil {
				trusted[u.Hostname()] = true
			}
		}
	}
	base.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		d := &net.Dialer{Timeout: 10 * time.Second}
		if host, _, err := net.SplitHostPort(address); err != nil || !trusted[host] {
			d.Control = outsideOnly
		}
		return d.DialContext(ctx, network, address)
	}
	return newHosts(base, r)
}

func outsideOnly(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if a := ap.Addr().Unmap(); !a.IsGlobalUnicast() || a.IsPrivate() {
		return fmt.Errorf("%s is not an address of the outside world", a)
	}
	return nil
}

// named lists the hosts that the configuration speaks of, without their ports.
func (r *Registries) named() map[string]bool {
	all := map[string]bool{}
	add := func(hostPort string) {
		u := url.URL{Host: hostPort}
		all[u.Hostname()] = true
	}
	for host, m := range r.mirrors {
		add(host)
		for _, e := range m.endpoints {
			add(e.Host)
		}
	}
	for host := range r.configs {
		add(host)
	}
	return all
}
