package pull

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strconv"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"golang.org/x/sync/singleflight"
)

// ThroughConfig says what a Through works with.
type ThroughConfig struct {
	// Dir keeps manifests and blobs. One process at a time may use it.
	Dir string
	// Limit bounds what is kept, in bytes; larger blobs are not passed on. Default: 10 GiB.
	Limit int64
	// Age is how long something is kept that nobody asks for. Default: 7 days.
	Age time.Duration
	// Registries is the path of a registries.yaml, as of Config; its credentials are not used.
	Registries string
	// Transport reaches registries. Default: as of Config.
	Transport *http.Transport
	// Log receives what clients are only told in short. Default: slog.Default().
	Log *slog.Logger
}

// Through passes the outside world's images on to a cluster's nodes, so that a hundred of them bring an image over the
// line once. It is an http.Handler for those requests to /v2/ whose parameter ns names another registry:
//
//	GET /v2/library/busybox/manifests/1.37?ns=docker.io
//
// It asks without any credentials, whatever is configured: what it has is open to all, so that no image becomes
// readable to who could not read it before. Content is verified before its last byte is passed on. Registries are
// those of the outside world, and those that registries.yaml names: it is no way to what else this machine reaches.
type Through struct {
	cfg        ThroughConfig
	blobs      *cache
	manifests  *manifestCache
	registries *registriesReader
	gate       *gate
	upstreams  answers[*upstream] // by the address of a repository
	tags       answers[manifest]  // by registry, repository and tag
	questions  singleflight.Group
	retryWait  time.Duration
}

// How long it is believed what registries said.
const (
	upstreamAge = 5 * time.Minute  // who has a repository, and that it is open
	tagAge      = 30 * time.Second // what a tag is
	refusalAge  = 10 * time.Second // that something is not to be had
	askingTime  = 20 * time.Second // to answer a question
)

// NewThrough opens what an earlier one has kept.
func NewThrough(cfg ThroughConfig) (*Through, error) {
	if cfg.Dir == "" {
		return nil, errors.New("pull: ThroughConfig.Dir is required")
	}
	if cfg.Limit == 0 {
		cfg.Limit = 10 << 30
	}
	if cfg.Age == 0 {
		cfg.Age = 7 * 24 * time.Hour
	}
	if cfg.Transport == nil {
		cfg.Transport = newTransport()
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	t := &Through{cfg: cfg, gate: newGate(32), retryWait: firstWait}
	var err error
	if t.blobs, err = openCache(filepath.Join(cfg.Dir, "blobs"), cfg.Limit, cfg.Age); err != nil {
		return nil, fmt.Errorf("pull: %w", err)
	}
	t.blobs.linger = 10 * time.Second
	if t.manifests, err = openManifests(filepath.Join(cfg.Dir, "manifests"), cfg.Age); err != nil {
		return nil, fmt.Errorf("pull: %w", err)
	}
	if t.registries, err = openRegistries(cfg.Registries, t.newHosts, cfg.Log); err != nil {
		return nil, fmt.Errorf("pull: %w", err)
	}
	return t, nil
}

// Run keeps what is kept within its bounds until ctx ends.
func (t *Through) Run(ctx context.Context) error {
	for {
		t.trim(0)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(tidyEvery):
		}
	}
}

func (t *Through) trim(coming int64) {
	_, err := t.blobs.trim(time.Now(), coming)
	_, more := t.manifests.trim(time.Now(), 0)
	if err = errors.Join(err, more); err != nil {
		t.cfg.Log.Warn("trimming what was pulled through", "err", err)
	}
}

// Before answers for other registries than host; for that one, next does.
func (t *Through) Before(next http.Handler, host string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ns := r.URL.Query().Get(ThroughParameter); ns != "" && ns != host {
			t.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (t *Through) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		refuse(w, http.StatusMethodNotAllowed, transport.UnsupportedErrorCode, "images of other registries can only be pulled")
		return
	}
	repository, rest, ok := splitPath(r.URL.Path)
	if ok && repository == "" { // the question whether this is a registry
		w.WriteHeader(http.StatusOK)
		return
	}
	repo, err := name.NewRepository(r.URL.Query().Get(ThroughParameter)+"/"+repository, name.WithDefaultRegistry(""))
	if !ok || err != nil {
		refuse(w, http.StatusNotFound, transport.NameUnknownErrorCode, "no such repository")
		return
	}
	if rest[0] == "manifests" {
		err = t.serveManifest(w, r, repo, rest[1])
	} else {
		err = t.serveBlob(w, r, repo, rest[1])
	}
	if err != nil && r.Context().Err() == nil {
		t.cfg.Log.Debug("pulling through", "repository", repo.Name(), "what", rest[1], "err", err)
		status, code, reason := refusalOf(err)
		refuse(w, status, code, reason)
	}
}

func refuse(w http.ResponseWriter, status int, code transport.ErrorCode, reason string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"errors":[{"code":%q,"message":%s}]}`, code, strconv.Quote(oneLine(reason)))
}

// refusalOf is an error as a registry tells it.
func refusalOf(err error) (status int, code transport.ErrorCode, reason string) {
	reason, kind := classify(err)
	switch {
	case errors.Is(kind, ErrNotFound):
		return http.StatusNotFound, transport.ManifestUnknownErrorCode, reason
	case errors.Is(kind, ErrDenied): // to this registry; the node may have credentials
		return http.StatusNotFound, transport.ManifestUnknownErrorCode, "not open to all: " + reason
	}
	return http.StatusBadGateway, transport.UnavailableErrorCode, reason
}

func (t *Through) serveManifest(w http.ResponseWriter, r *http.Request, repo name.Repository, ref string) error {
	m, err := t.manifest(r.Context(), repo, ref)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", m.kind)
	h.Set("Docker-Content-Digest", m.digest.String())
	h.Set("Content-Length", strconv.Itoa(len(m.body)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(m.body)
	}
	return nil
}

func (t *Through) serveBlob(w http.ResponseWriter, r *http.Request, repo name.Repository, digest string) error {
	h, err := v1.NewHash(digest)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	l, up, err := t.blob(r.Context(), repo, h)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Docker-Content-Digest", h.String())
	if r.Method == http.MethodHead {
		w.Header().Set("Content-Length", strconv.FormatInt(l.size, 10))
		return nil
	}
	defer t.blobs.pin([]layer{l})()
	if _, here := t.blobs.size(h); !here {
		t.trim(l.size)
	}
	content := t.blobs.stream(r.Context(), l, t.download(up, l), nil)
	defer content.Close()
	if err := content.begin(); err != nil {
		return err
	}
	http.ServeContent(w, r, "", time.Time{}, content) // what breaks off is shorter than it was said to be
	return nil
}

// download brings a blob from where its repository is. Of one that is here, up may be unknown.
func (t *Through) download(up *upstream, l layer) downloader {
	if up == nil {
		return func(context.Context, *partial, func(int64)) error { return ErrNetwork }
	}
	f := &fetch{
		blobs: blobSource{up.repo, up.client}, layer: l, gate: t.gate, traffic: &traffic{}, conns: connections, wait: t.retryWait, stall: stallAfter, log: t.cfg.Log,
	}
	return f.run
}

// begin waits for the first byte, or for what went wrong instead.
func (r *layerReader) begin() error {
	if r.layer.size == 0 {
		return r.wait()
	}
	_, err := r.ready()
	return err
}
