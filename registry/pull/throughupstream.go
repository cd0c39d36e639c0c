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

// askUpstream asks each place in turn for a manifest.
func (t *Through) askUpstream(ctx context.Context, repo name.Repository, ref string) (m manifest, err error) {
	err = t.eachUpstream(ctx, repo, func(up *upstream) error {
		m, err = t.askOne(ctx, up, repo, ref)
		return err
	})
	if err != nil {
		return manifest{}, err
	}
	return m, t.manifests.put(m)
}

func (t *Through) askOne(ctx context.Context, up *upstream, repo name.Repository, ref string) (manifest, error) {
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
	return manifest{kind: string(desc.MediaType), digest: desc.Digest, body: desc.Manifest}, nil
}

// eachUpstream goes on to the next of those who may have a repository as long as do fails with what one of them says, or
// does not: the registry itself comes last, and says most.
func (t *Through) eachUpstream(ctx context.Context, repo name.Repository, do func(*upstream) error) error {
	places, err := t.places(repo)
	if err != nil {
		return err
	}
	for _, e := range places {
		var up *upstream
		if up, err = t.reach(ctx, e); err == nil {
			err = do(up)
		}
		if err == nil || ctx.Err() != nil {
			return err
		}
		t.cfg.Log.Debug("a place does not have what is asked for", "repository", repo.Name(), "place", e.repo.String(), "err", err)
	}
	return err
}

// places are where a repository may be: at the mirrors that registries.yaml names, in its order, then at the registry itself.
func (t *Through) places(repo name.Repository) ([]endpoint, error) {
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
	return places, nil
}

// reach logs in to a place, as nobody. What came of it is remembered, the better part for longer.
func (t *Through) reach(ctx context.Context, e endpoint) (*upstream, error) {
	key := e.repo.Scheme() + "://" + e.repo.Name()
	if a, ok := t.upstreams.get(key); ok {
		return a.value, a.err
	}
	rt, err := transport.NewWithContext(ctx, e.repo.Registry, authn.Anonymous, e.transport, []string{e.repo.Scope(transport.PullScope)})
	if err != nil {
		if ctx.Err() == nil {
			t.upstreams.put(key, nil, err, refusalAge)
		}
		return nil, err
	}
	up := &upstream{e.repo, &http.Client{Transport: rt}}
	t.upstreams.put(key, up, nil, upstreamAge)
	return up, nil
}

// sized is who has a blob, and how large it is.
type sized struct {
	up   *upstream
	size int64
}

// blob finds how large a blob is, and who has it. One that is here is asked for nowhere.
func (t *Through) blob(ctx context.Context, repo name.Repository, h v1.Hash) (layer, *upstream, error) {
	if size, ok := t.blobs.size(h); ok {
		var up *upstream // whom to ask if what is here turns out to be no good
		_ = t.eachUpstream(ctx, repo, func(first *upstream) error { up = first; return nil })
		return layer{digest: h, size: size}, up, nil
	}
	found, err, _ := t.questions.Do("size of "+repo.Name()+"@"+h.String(), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askingTime)
		defer cancel()
		var s sized
		err := t.eachUpstream(ctx, repo, func(up *upstream) (err error) {
			s.up = up
			s.size, err = up.size(ctx, h)
			return err
		})
		return s, err
	})
	if err != nil {
		return layer{}, nil, err
	}
	s := found.(sized)
	l := layer{digest: h, size: s.size}
	if l.size > t.cfg.Limit {
		return layer{}, nil, fmt.Errorf("blob %s has %d bytes, more than are kept here", h, l.size)
	}
	return l, s.up, nil
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
