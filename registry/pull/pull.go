// Package pull brings images into a Docker engine. go-containerregistry finds and authenticates, this package downloads,
// and the engine unpacks:
//
//	p, err := pull.New(pull.Config{CacheDir: "/var/lib/leme/agent/images", Engine: dockerClient})
//	go p.Run(ctx)
//	result, err := p.Pull(ctx, "registry.leme/hello:1.0", secrets, func(p pull.Progress) { … })
//
// It exists because the engine's own puller takes each layer over one connection, gives up on lines that break often,
// knows nothing of pull secrets or of the cluster's registry, and runs no zstd layers where it is old.
//
// A pull goes so:
//
//  1. Resolve the reference to this platform's image, at each place that may have it, with each credential that may
//     open it in turn (registries.go, endpoint.go, resolve.go).
//  2. Offer the image to the engine under a name of its own in a registry that this process serves on a loopback
//     address, under a random password (loopback.go), and ask the engine to pull it from there.
//  3. When the engine asks for a layer, and only then, download it and those that lie on it: in segments over several
//     connections, the base layer's first, every byte counted in its digest (fetch.go), once however many pulls want it
//     (flight.go). The engine gets a layer while it arrives: unpacked, named by the digest of its unpacked content,
//     or as it is where the engine can unpack it and this machine has no time to spare (offer.go, lines.go).
//  4. Tag what the engine has with the real name, and with that of its digest (name.go), take the loopback name away.
//
// An engine that cannot reach this process' loopback address (remote, rootless) is given an archive instead.
//
// For a cluster's registry, Through passes on what other registries have: see there.
package pull

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	engineimage "github.com/moby/moby/api/types/image"
	"github.com/moby/moby/client"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
)

// Config says what a Puller works with.
type Config struct {
	// CacheDir keeps layers. One process at a time may use it.
	CacheDir string
	// CacheLimit bounds the layers kept, in bytes; what pulls use stays. Default: 1 GiB.
	CacheLimit int64
	// CacheAge is how long a layer is kept that no pull uses. Default: 7 days.
	CacheAge time.Duration
	// Engine is the Docker Engine; moby's *client.Client is one.
	Engine Engine
	// Cluster is the cluster's own registry, if there is one.
	Cluster ClusterRegistry
	// Keychain gives the node's own credentials, after a pull's secrets. Default: docker's configuration file.
	Keychain authn.Keychain
	// Registries is the path of a registries.yaml (see Registries), which may not be there; it is read again when it
	// has changed. Empty: there is none.
	Registries string
	// Transport reaches registries. Default: one with TLS 1.2, keep-alive and time limits.
	Transport *http.Transport
	// Connections is how many connections one pull uses at once. Default: 8.
	Connections int
	// MaxPulls is how many pulls run at once; the others wait their turn. Default: 5.
	MaxPulls int
	// Metrics takes what pulls are counted by. Nil: nobody sees it.
	Metrics prometheus.Registerer
	// Log receives what a pull survives: lost connections, leftovers that could not be removed. Default: slog.Default().
	Log *slog.Logger
}

// Secret is what an image pull secret holds: the bytes under ".dockerconfigjson" or those under ".dockercfg".
type Secret struct {
	Namespace, Name, UID        string // of the Secret; only to know it again
	DockerConfigJSON, DockerCfg []byte
}

// Result is an image that the engine has.
type Result struct {
	ImageID    string // as the engine names it: "sha256:…", on most engines the digest of the image's configuration
	RepoDigest string // repository@sha256:… that the reference led to
	Size       int64  // bytes unpacked, as the engine counts
}

// Puller pulls images; it is safe for concurrent use. Its Run must be running.
type Puller struct {
	cfg        Config
	slots      chan struct{}
	cache      *cache
	loopback   *loopback
	cluster    *http.Transport // to Config.Cluster
	keychain   patientKeychain
	registries *registriesReader
	records    *records
	// throughFailed are registries whose images the cluster's registry could not bring.
	throughFailed answers[bool]
	retryWait     time.Duration
	stall         time.Duration
	// archives is set once the engine turned out not to reach the loopback registry.
	archives  atomic.Bool
	pulls     atomic.Int64   // numbers the names under which the engine pulls
	untagging sync.WaitGroup // removes those names
	lines     lines
	metrics   *metrics

	platformMu sync.Mutex
	platform   *enginePlatform // known once the engine answered
}

// New checks cfg, opens the cache and the loopback registry's port.
func New(cfg Config) (*Puller, error) {
	if cfg.CacheDir == "" || cfg.Engine == nil {
		return nil, errors.New("pull: Config.CacheDir and Config.Engine are required")
	}
	setDefaults(&cfg)
	if err := os.MkdirAll(cfg.CacheDir, 0o700); err != nil {
		return nil, fmt.Errorf("pull: %w", err)
	}
	c, err := openCache(filepath.Join(cfg.CacheDir, "layers"), cfg.CacheLimit, cfg.CacheAge)
	if err != nil {
		return nil, fmt.Errorf("pull: opening the layer cache: %w", err)
	}
	lo, err := listenLoopback(cfg.CacheDir, c, cfg.Log)
	if err != nil {
		return nil, fmt.Errorf("pull: %w", err)
	}
	p := &Puller{
		cfg: cfg, slots: make(chan struct{}, cfg.MaxPulls), cache: c, loopback: lo,
		retryWait: firstWait, stall: stallAfter,
		cluster:  newClusterTransport(cfg.Transport, cfg.Cluster),
		keychain: patientKeychain{cfg.Keychain, make(chan struct{}, 1)},
		records:  &records{dir: filepath.Join(cfg.CacheDir, "pulled"), log: cfg.Log},
	}
	if p.metrics, err = newMetrics(cfg.Metrics); err == nil {
		p.registries, err = openRegistries(cfg.Registries, p.newHosts, cfg.Log)
	}
	if err != nil {
		lo.listener.Close()
		return nil, fmt.Errorf("pull: %w", err)
	}
	return p, nil
}

// connections is how many one pull uses at once.
const connections = 8

func setDefaults(cfg *Config) {
	if cfg.CacheLimit == 0 {
		cfg.CacheLimit = 1 << 30
	}
	if cfg.CacheAge == 0 {
		cfg.CacheAge = 7 * 24 * time.Hour
	}
	if cfg.Keychain == nil {
		cfg.Keychain = authn.DefaultKeychain
	}
	if cfg.Transport == nil {
		cfg.Transport = newTransport()
	}
	if cfg.Connections == 0 {
		cfg.Connections = connections
	}
	if cfg.MaxPulls == 0 {
		cfg.MaxPulls = 5
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
}

// Run serves the loopback registry until ctx ends. It first takes away the names that a killed process left behind, and
// keeps the cache within its bounds.
func (p *Puller) Run(ctx context.Context) error {
	if err := p.sweep(ctx); err != nil {
		p.cfg.Log.Warn("removing the names of earlier pulls", "err", err)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return p.loopback.run(ctx) })
	group.Go(func() error {
		for {
			p.tidy(ctx)
			select {
			case <-time.After(tidyEvery):
			case <-ctx.Done():
				return nil
			}
		}
	})
	defer p.untagging.Wait()
	return group.Wait()
}

const tidyEvery = time.Hour

// tidy removes layers that are too old, and the records of images that are gone.
func (p *Puller) tidy(ctx context.Context) {
	p.trim(0)
	list, err := p.cfg.Engine.ImageList(ctx, client.ImageListOptions{All: true})
	if err == nil {
		err = p.records.forget(func(id string) bool {
			return slices.ContainsFunc(list.Items, func(i engineimage.Summary) bool { return i.ID == id })
		})
	}
	if err != nil && ctx.Err() == nil {
		p.cfg.Log.Warn("tidying the records of pulls", "err", err)
	}
}

// FreeCache removes the layers that no pull uses, for a disk that is full; it returns the bytes that it freed.
func (p *Puller) FreeCache() (int64, error) { return p.cache.clear() }

// Pull makes the image that ref names present in the engine under that name, which is LocalName(ref). progress, when
// not nil, is told how far it has come, a few times a second and once at the end.
// The error is an *Error; errors.Is knows ErrInvalidName, ErrNotFound, ErrDenied and ErrNetwork. When ctx ends, layers
// that are complete stay in the cache, and so does what is there of the others while this process lives.
func (p *Puller) Pull(ctx context.Context, ref string, secrets []Secret, progress func(Progress)) (Result, error) {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return Result{}, newError(ref, ctx.Err())
	}
	begin := time.Now()
	result, err := p.pull(ctx, ref, secrets, progress)
	if err != nil {
		if ctx.Err() == nil {
			p.metrics.failed(err)
		}
		return Result{}, newError(ref, err)
	}
	p.metrics.pulled(result.Size, time.Since(begin))
	return result, nil
}

func (p *Puller) pull(ctx context.Context, ref string, secrets []Secret, progress func(Progress)) (Result, error) {
	engine, err := p.enginePlatform(ctx)
	if err != nil {
		return Result{}, err
	}
	for tried := map[string]bool{}; ; {
		img, err := p.resolve(ctx, ref, secrets, engine, tried)
		if err != nil {
			return Result{}, err
		}
		result, err := p.bring(ctx, img, engine, progress)
		if err == nil || ctx.Err() != nil || !img.from.tentative || !remoteFault(err) {
			return result, err
		}
		p.cfg.Log.Info("an endpoint broke off; the next one is asked", "image", ref, "endpoint", img.from.repo.String(), "err", err)
		img.from.fail(err)
		tried[img.from.repo.Name()] = true
	}
}

// bring makes the engine have a resolved image.
func (p *Puller) bring(ctx context.Context, img *image, engine enginePlatform, progress func(Progress)) (Result, error) {
	meter := newMeter(img.layers, progress)
	defer meter.stop()
	defer p.trim(0)
	defer p.cache.pin(img.layers)()
	p.trim(img.size())
	if !engine.containerd { // the image's ID is known before the engine has it
		if err := p.records.add(img.configName.String(), img.repository, img.source); err != nil {
			return Result{}, err
		}
	}
	result, err := p.deliver(ctx, img, engine, meter)
	if err != nil {
		return Result{}, err
	}
	meter.finish()
	if err := p.records.add(result.ImageID, img.repository, img.source); err != nil {
		return Result{}, err
	}
	return result, nil
}

// trim keeps the cache within its bounds, with what is about to come.
func (p *Puller) trim(coming int64) {
	if _, err := p.cache.trim(time.Now(), coming); err != nil {
		p.cfg.Log.Warn("trimming the layer cache", "err", err)
	}
}

// newTransport is for registries: several connections to one host, so no HTTP/2, which would make them one.
func newTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.ForceAttemptHTTP2 = false
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	t.MaxIdleConnsPerHost = 16
	t.ResponseHeaderTimeout = 30 * time.Second
	return t
}
