package pull

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

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
	ref        name.Reference
	tag        string // under which the engine keeps it
	repoDigest string
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

// resolve finds the image of ref for the engine's platform, with the first credential that opens it.
func (p *Puller) resolve(ctx context.Context, ref string, secrets []Secret, engine enginePlatform) (*image, error) {
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
	var denied error
	for _, auth := range p.authenticatorsFor(credentials, parsed.Context()) {
		img, err := p.resolveWith(ctx, parsed, auth, engine)
		if err == nil {
			img.tag = local
			img.repoDigest = named.Name() + "@" + img.repoDigest
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

func (p *Puller) authenticatorsFor(credentials []credential, repo name.Repository) []authn.Authenticator {
	if c := p.cfg.Cluster; c.Host != "" && c.Host == repo.RegistryStr() {
		if c.Auth == nil {
			return []authn.Authenticator{authn.Anonymous}
		}
		return []authn.Authenticator{c.Auth}
	}
	return authenticators(credentials, p.cfg.Keychain, repo)
}

// resolveWith logs in and reads the manifest and the configuration.
func (p *Puller) resolveWith(ctx context.Context, ref name.Reference, auth authn.Authenticator, engine enginePlatform) (*image, error) {
	repo := ref.Context()
	rt, err := transport.NewWithContext(ctx, repo.Registry, auth, p.transportFor(repo.RegistryStr()), []string{repo.Scope(transport.PullScope)})
	if err != nil {
		return nil, err
	}
	desc, err := remote.Get(ref, remote.WithContext(ctx), remote.WithTransport(rt), remote.WithPlatform(engine.platform))
	if err != nil {
		return nil, err
	}
	found, err := desc.Image()
	if err != nil {
		return nil, platformError(err, engine)
	}
	img := &image{ref: ref, repoDigest: desc.Digest.String(), blobs: blobSource{repo, &http.Client{Transport: rt}}}
	return img, img.read(found)
}

// platformError makes ggcr's words for a missing platform an ErrNotFound.
func platformError(err error, engine enginePlatform) error {
	var answer *transport.Error
	if errors.As(err, &answer) || !strings.Contains(err.Error(), "no child with platform") {
		return err
	}
	return fmt.Errorf("%w for this node's platform, %s", ErrNotFound, engine.platform)
}

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

// transportFor reaches a registry; the cluster's own goes to its address whatever the name says.
func (p *Puller) transportFor(host string) http.RoundTripper {
	c := p.cfg.Cluster
	if c.Host == "" || host != c.Host {
		return p.cfg.Transport
	}
	return p.cluster
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
