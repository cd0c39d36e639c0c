// Package registry is the cluster's own OCI registry: images pushed to it are kept on this machine's disk, so that a
// cluster with no other registry, and no internet, is complete.
//
//	r, err := registry.New(registry.Config{Dir: "/var/lib/leme/registry"})
//	mux.Handle("/v2/", r) // behind TLS and authentication, which are not this package's work
//	go r.Run(ctx)         // collects garbage now and then
//
// It serves all of the OCI distribution specification 1.1, and keeps these promises:
//
//   - Content is named by its digest and verified before it gets its name: written to a temporary file, synced, renamed.
//     A kill at any moment leaves the old state or the new one, and a temporary file that the next start removes.
//   - An upload that a client may go on with is there after a kill, as far as it had come.
//   - A manifest is accepted only when everything it names is here; what a manifest names is never removed.
//   - Sizes and the number of open uploads are bounded.
//
// On disk:
//
//	blobs/sha256/ab/abcd…                         content of blobs and manifests, shared by all repositories
//	repositories/NAME/_blobs/sha256-abcd…         the repository has this blob; its time is when it was last asked for
//	repositories/NAME/_manifests/sha256-abcd…     the repository has this manifest; holds its media type
//	repositories/NAME/_tags/TAG                   holds the digest that the tag points at
//	repositories/NAME/_referrers/DIGEST/DIGEST    the second manifest has the first as its subject
//	uploads/                                      what is being written; ID.of names the repository of the upload ID
//
// No component of a repository's name can start with an underscore, so names and entries never meet.
package registry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// MaxManifestSize is the largest manifest accepted, in bytes; the distribution specification asks for no less.
const MaxManifestSize = 4 << 20

// Config says where a registry lives and what bounds it.
type Config struct {
	// Dir is the registry's directory, made when it is missing. One process at a time may use it.
	Dir string
	// Log receives errors that clients only see as "internal error". Default: slog.Default().
	Log *slog.Logger
	// MaxBlobSize bounds one blob, in bytes. Default: 64 GiB.
	MaxBlobSize int64
	// MaxUploads bounds the uploads that are open at once. Default: 512.
	MaxUploads int
	// UploadAge is how long an upload may lie still before it is swept. Default: 24 hours.
	UploadAge time.Duration
	// Grace is how long a blob that no manifest names is kept after a client last pushed it or asked for it: the
	// manifest may be on its way. Default: 1 hour.
	Grace time.Duration
	// UntaggedAge, when positive, lets manifests go that no tag, index or subject leads to, this long after they were
	// last pushed or pulled. Zero keeps them.
	UntaggedAge time.Duration
	// Used finds the images that somebody names by digest, which are kept even when they have no tag. Default: none are.
	Used func(context.Context) (InUse, error)
	// Quota bounds all content together, RepositoryQuota what one repository has, in bytes; zero is no bound.
	Quota, RepositoryQuota int64
	// Readable says whether the client of a request may read a repository that it wants to mount a blob from.
	// Default: it may.
	Readable func(ctx context.Context, repo string) bool
	// GCInterval is how often Run collects garbage. Default: 1 hour.
	GCInterval time.Duration
}

func (c *Config) setDefaults() error {
	if c.Dir == "" {
		return errors.New("registry: Config.Dir is required")
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Used == nil {
		c.Used = func(context.Context) (InUse, error) { return InUse{}, nil }
	}
	if c.Readable == nil {
		c.Readable = func(context.Context, string) bool { return true }
	}
	if c.MaxBlobSize == 0 {
		c.MaxBlobSize = 64 << 30
	}
	if c.MaxUploads == 0 {
		c.MaxUploads = 512
	}
	if c.UploadAge == 0 {
		c.UploadAge = 24 * time.Hour
	}
	if c.Grace == 0 {
		c.Grace = time.Hour
	}
	if c.GCInterval == 0 {
		c.GCInterval = time.Hour
	}
	return nil
}

// Registry is an OCI registry on disk. It is an http.Handler for /v2/ and safe for concurrent use.
type Registry struct {
	cfg     Config
	routes  map[endpoint]map[string]handler
	metrics *metrics
	usage   usage
	step    func() // called before and after each change on disk, for tests that end the process there

	// mu is held to change what repositories have. Content is read and uploads are written without it, and the collector
	// holds it for one removal at a time.
	mu sync.Mutex
	// news is what has changed since the collection under way began to look around; nil: there is none. Guarded by mu.
	news       *news
	collecting sync.Mutex // held by a collection

	uploadsMu sync.Mutex
	uploads   map[string]*upload
}

// New opens the registry in cfg.Dir, or starts one there, and removes what an earlier process left half written.
func New(cfg Config) (*Registry, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	r := &Registry{cfg: cfg, uploads: map[string]*upload{}, step: func() {}}
	for _, dir := range []string{r.uploadDir(), filepath.Join(cfg.Dir, "blobs"), r.repositoriesDir()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("registry: %w", err)
		}
	}
	if err := errors.Join(r.measure(), r.restoreUploads()); err != nil {
		return nil, fmt.Errorf("registry: %w", err)
	}
	r.routes, r.metrics = r.handlers(), newMetrics(r)
	return r, nil
}

// Run collects garbage every Config.GCInterval until ctx ends.
func (r *Registry) Run(ctx context.Context) error {
	tick := time.NewTicker(r.cfg.GCInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		got, err := r.GC(ctx, r.Rules())
		if err != nil && ctx.Err() == nil {
			r.cfg.Log.Error("collecting the registry's garbage", "err", err)
		}
		if got != (Collected{}) {
			r.cfg.Log.Info("collected the registry's garbage", "uploads", got.Uploads, "manifests", got.Manifests,
				"blobs", got.Blobs, "bytes", got.Bytes)
		}
	}
}
