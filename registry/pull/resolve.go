package pull

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/distribution/reference"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// ClusterRegistry is the cluster's own registry: images named HOST/… are asked for at Addr.
type ClusterRegistry struct {
	Host string              // as in image names: "registry.leme"
	Addr string              // host:port of the server
	TLS  *tls.Config         // the cluster's CA and this node's certificate; ServerName defaults to Addr's host
	Auth authn.Authenticator // nil where the certificate is enough
}

// image is a resolved reference: what there is to download, and how.
type image struct {
	tag        string // under which the engine keeps it
	repository string // that the reference names
	repoDigest string
	source     string // what opened it: see records
	from       endpoint
	digest     v1.Hash // of this platform's manifest
	manifest   []byte
	mediaType  string
	configName v1.Hash
	config     []byte
	layers     []layer
	blobs      blobSource
}

// layer is one layer: its digest in the registry, and that of its unpacked content.
type layer struct {
	digest, diffID v1.Hash
	size           int64 // compressed
	gzip           bool  // as the manifest says
}

// size is the bytes of the layers, as the registry has them.
func (img *image) size() (n int64) {
	for _, l := range img.layers {
		n += l.size
	}
	return n
}

// blobSource is a repository that has been logged in to.
type blobSource struct {
	repo   name.Repository
	client *http.Client
}

// resolve finds the image of ref for the engine's platform, at the first endpoint that has it and was not tried
// before, with the first credential that opens it.
func (p *Puller) resolve(ctx context.Context, ref string, secrets []Secret, engine enginePlatform, tried map[string]bool) (*image, error) {
	local, err := LocalName(ref)
	if err != nil {
		return nil, err
	}
	named, _ := reference.ParseDockerRef(ref)
	parsed, err := name.ParseReference(named.String())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalidName, err)
	}
	credentials, err := parseSecrets(secrets)
	if err != nil {
		return nil, err
	}
	endpoints, err := p.endpoints(ctx, parsed.Context(), credentials)
	if err != nil {
		return nil, err
	}
	var failed error
	for _, e := range endpoints {
		if e.tentative && tried[e.repo.Name()] {
			continue
		}
		img, err := p.resolveAt(ctx, e, parsed, engine)
		if err == nil {
			img.tag, img.repository, img.from = local, named.Name(), e
			img.repoDigest = named.Name() + "@" + img.repoDigest
			return img, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		failed = err // the registry itself comes last, and says most
		e.fail(err)
		if e.tentative {
			p.cfg.Log.Debug("an endpoint does not give the image", "image", ref, "endpoint", e.repo.String(), "err", err)
		}
	}
	return nil, failed
}

// patience is how long an endpoint may take to tell what an image is.
const patience = 2 * time.Minute

var errPatience = fmt.Errorf("%w: no manifest within %s", ErrNetwork, patience)

// resolveAt tries an endpoint's credentials in turn.
func (p *Puller) resolveAt(ctx context.Context, e endpoint, ref name.Reference, engine enginePlatform) (_ *image, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errPatience)
	defer cancel()
	defer func() {
		if err != nil && errors.Is(context.Cause(ctx), errPatience) {
			err = errPatience
		}
	}()
	var denied error
	for i, auth := range e.auths {
		img, err := p.resolveWith(ctx, e, at(e.repo, ref), auth, engine)
		if err == nil {
			img.source = e.sources[i]
			return img, nil
		}
		if _, kind := classify(err); !errors.Is(kind, ErrDenied) {
			return nil, err
		}
		if denied == nil {
			denied = err // the best credential's refusal says most
		}
	}
	return nil, denied
}

// at is the same tag or digest in another repository.
func at(repo name.Repository, ref name.Reference) name.Reference {
	if d, ok := ref.(name.Digest); ok {
		return repo.Digest(d.DigestStr())
	}
	return repo.Tag(ref.Identifier())
}

// clusterEndpoint is the cluster's own registry.
func (p *Puller) clusterEndpoint(repo name.Repository) endpoint {
	auth := p.cfg.Cluster.Auth
	if auth == nil {
		auth = authn.Anonymous
	}
	return endpoint{repo: repo, transport: overScheme{p.cluster, repo.RegistryStr(), "https"}, auths: []authn.Authenticator{auth}, sources: []string{fromNobody}}
}

// resolveWith logs in and reads the manifest and the configuration.
func (p *Puller) resolveWith(ctx context.Context, e endpoint, ref name.Reference, auth authn.Authenticator, engine enginePlatform) (*image, error) {
	base := e.transport
	if e.query != nil {
		base = withQuery{base, e.query}
	}
	rt, err := transport.NewWithContext(ctx, e.repo.Registry, auth, base, []string{e.repo.Scope(transport.PullScope)})
	if err != nil {
		return nil, err
	}
	options := []remote.Option{remote.WithContext(ctx), remote.WithTransport(rt)}
	desc, err := remote.Get(ref, options...)
	if err != nil {
		return nil, err
	}
	found, err := imageOf(ctx, e.repo, desc, engine.platform, options)
	if err != nil {
		return nil, err
	}
	img := &image{repoDigest: desc.Digest.String(), blobs: blobSource{e.repo, &http.Client{Transport: rt}}}
	return img, img.read(found)
}

// withQuery adds to what is asked of a repository.
type withQuery struct {
	http.RoundTripper
	query url.Values
}

func (q withQuery) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	all := req.URL.Query()
	maps.Copy(all, q.query)
	req.URL.RawQuery = all.Encode()
	return q.RoundTripper.RoundTrip(req)
}

// bounds of what a manifest may ask for.
const (
	maxConfig = 8 << 20 // bytes
	maxLayers = 1000
)

// read takes from an image what a pull needs.
func (img *image) read(found v1.Image) (err error) {
	if img.manifest, err = found.RawManifest(); err != nil {
		return err
	}
	if img.digest, err = found.Digest(); err != nil {
		return err
	}
	m, err := found.Manifest()
	if err != nil {
		return err
	}
	switch {
	case m.Config.Size > maxConfig || m.Config.Size < 0:
		return fmt.Errorf("%w: the image's configuration has %d bytes", errAnswer, m.Config.Size)
	case len(m.Layers) > maxLayers:
		return fmt.Errorf("%w: the image has %d layers", errAnswer, len(m.Layers))
	}
	config, err := found.ConfigFile()
	if err != nil {
		return err
	}
	if img.config, err = found.RawConfigFile(); err != nil {
		return err
	}
	img.configName, img.mediaType = m.Config.Digest, string(m.MediaType)
	if len(m.Layers) != len(config.RootFS.DiffIDs) {
		return fmt.Errorf("%s is not an image that can run: it has %d layers, its configuration %d",
			img.digest, len(m.Layers), len(config.RootFS.DiffIDs))
	}
	for i, l := range m.Layers {
		img.layers = append(img.layers, layer{
			digest: l.Digest, diffID: config.RootFS.DiffIDs[i], size: l.Size,
			gzip: l.MediaType == types.DockerLayer || l.MediaType == types.OCILayer,
		})
	}
	return nil
}

func newClusterTransport(base *http.Transport, c ClusterRegistry) *http.Transport {
	t := base.Clone()
	t.Proxy = nil
	t.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, c.Addr)
	}
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if c.TLS != nil {
		t.TLSClientConfig = c.TLS.Clone()
	}
	if t.TLSClientConfig.ServerName == "" {
		t.TLSClientConfig.ServerName, _, _ = net.SplitHostPort(c.Addr)
	}
	return t
}
