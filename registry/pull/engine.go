package pull

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/moby/api/pkg/authconfig"
	"github.com/moby/moby/api/types/registry"
	"github.com/moby/moby/client"
)

// Engine is what a pull needs of a Docker Engine; *client.Client has it.
type Engine interface {
	Info(ctx context.Context, o client.InfoOptions) (client.SystemInfoResult, error)
	ServerVersion(ctx context.Context, o client.ServerVersionOptions) (client.ServerVersionResult, error)
	ImageList(ctx context.Context, o client.ImageListOptions) (client.ImageListResult, error)
	ImagePull(ctx context.Context, ref string, o client.ImagePullOptions) (client.ImagePullResponse, error)
	ImageLoad(ctx context.Context, archive io.Reader, o ...client.ImageLoadOption) (client.ImageLoadResult, error)
	ImageInspect(ctx context.Context, image string, o ...client.ImageInspectOption) (client.ImageInspectResult, error)
	ImageTag(ctx context.Context, o client.ImageTagOptions) (client.ImageTagResult, error)
	ImageRemove(ctx context.Context, image string, o client.ImageRemoveOptions) (client.ImageRemoveResult, error)
}

// loopbackFolder is where the loopback registry's repositories are.
const loopbackFolder = "leme-pull"

// enginePlatform is what decides which image an engine gets, and how.
type enginePlatform struct {
	platform v1.Platform
	// containerd: images are kept by containerd, packed and under their manifest's digest. Otherwise a graph driver
	// keeps them unpacked under their configuration's digest.
	containerd bool
}

// enginePlatform asks the engine once.
func (p *Puller) enginePlatform(ctx context.Context) (enginePlatform, error) {
	p.platformMu.Lock()
	defer p.platformMu.Unlock()
	if p.platform != nil {
		return *p.platform, nil
	}
	version, err := p.cfg.Engine.ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		return enginePlatform{}, fmt.Errorf("asking the engine for its platform: %w", err)
	}
	info, err := p.cfg.Engine.Info(ctx, client.InfoOptions{})
	if err != nil {
		return enginePlatform{}, fmt.Errorf("asking the engine for its store: %w", err)
	}
	e := enginePlatform{platform: v1.Platform{OS: version.Os, Architecture: version.Arch}}
	for _, kv := range info.Info.DriverStatus {
		e.containerd = e.containerd || kv[0] == "driver-type" && strings.HasPrefix(kv[1], "io.containerd.")
	}
	p.platform = &e
	return e, nil
}

// pullShare is what the layers of one pull have in common.
type pullShare struct {
	gate    *gate // of the pull's connections
	meter   *meter
	traffic *traffic
}

// deliver makes the engine have the image under its name.
func (p *Puller) deliver(ctx context.Context, img *image, engine enginePlatform, m *meter) (Result, error) {
	if !engine.containerd {
		if found, err := p.cfg.Engine.ImageInspect(ctx, img.configName.String()); err == nil {
			return p.name(ctx, found.ID, found.Size, img)
		}
	}
	shared := &pullShare{newGate(p.cfg.Connections), m, &traffic{}}
	host := img.blobs.repo.RegistryStr()
	defer func() {
		p.lines.note(host, shared.traffic)
		bytes, _ := shared.traffic.judge()
		p.metrics.bytes.WithLabelValues(host).Add(float64(bytes))
	}()
	if !p.archives.Load() {
		result, reached, err := p.offer(ctx, img, engine, p.lines.waiting(host), shared)
		if errors.Is(err, errMislabelled) {
			result, reached, err = p.offer(ctx, img, engine, true, shared)
		}
		if err == nil || reached || ctx.Err() != nil {
			return result, err
		}
		p.cfg.Log.Info("the engine does not reach this process' loopback address; images go to it as archives", "err", err)
	}
	if err := p.load(ctx, img, shared); err != nil {
		return Result{}, err
	}
	p.archives.Store(true)
	return p.adopt(ctx, img.tag, img, engine)
}

// offer lets the engine pull from the loopback registry. reached is false when the engine never came.
func (p *Puller) offer(ctx context.Context, img *image, engine enginePlatform, eager bool, shared *pullShare) (_ Result, reached bool, err error) {
	pulling, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	o, err := p.newOffer(pulling, img, engine, eager, shared)
	if err != nil {
		return Result{}, true, err
	}
	o.fail = fail
	p.loopback.add(o)
	defer p.loopback.remove(o)
	ref := fmt.Sprintf("%s/%s@%s", p.loopback.listener.Addr(), o.repo, o.digest) // a tag would be one more thing to write
	defer p.untagging.Go(func() { p.untag(ref) })                                // which nobody needs to wait for
	if err := p.enginePull(pulling, ref, shared.meter); err != nil {
		if cause := context.Cause(pulling); cause != nil {
			err = cause
		}
		return Result{}, o.asked.Load(), err
	}
	result, err := p.adopt(ctx, ref, img, engine)
	return result, true, err
}

func (p *Puller) newFetch(img *image, l layer, shared *pullShare, rank int) fetch {
	return fetch{
		blobs: img.blobs, layer: l, gate: shared.gate, traffic: shared.traffic, rank: rank,
		conns: p.cfg.Connections, wait: p.retryWait, stall: p.stall, log: p.cfg.Log,
	}
}

// enginePull has the engine pull ref, and reads its account to the end: that is where it reports failure.
func (p *Puller) enginePull(ctx context.Context, ref string, m *meter) error {
	auth, err := authconfig.Encode(registry.AuthConfig{Username: loopbackUser, Password: p.loopback.password})
	if err != nil {
		return err
	}
	stream, err := p.cfg.Engine.ImagePull(ctx, ref, client.ImagePullOptions{RegistryAuth: auth})
	if err != nil {
		return fmt.Errorf("handing the image to the engine: %w", err)
	}
	defer stream.Close()
	for msg, err := range stream.JSONMessages(ctx) {
		if err != nil {
			return fmt.Errorf("handing the image to the engine: %w", err)
		}
		if msg.Error != nil {
			return fmt.Errorf("the engine: %w", msg.Error)
		}
		if msg.Status == "Already exists" || msg.Status == "Pull complete" {
			m.complete(msg.ID)
		}
	}
	return nil
}

// adopt gives what the engine has as source the image's own name, and that of its digest.
func (p *Puller) adopt(ctx context.Context, source string, img *image, engine enginePlatform) (Result, error) {
	found, err := p.cfg.Engine.ImageInspect(ctx, source)
	if err != nil {
		return Result{}, fmt.Errorf("looking for the image in the engine: %w", err)
	}
	if !engine.containerd && found.ID != img.configName.String() {
		return Result{}, fmt.Errorf("the engine made %s of image %s", found.ID, img.configName)
	}
	return p.name(ctx, found.ID, found.Size, img)
}

// name gives an image of the engine its names.
func (p *Puller) name(ctx context.Context, id string, size int64, img *image) (Result, error) {
	byDigest, err := LocalName(img.repoDigest)
	if err != nil {
		return Result{}, err
	}
	for _, tag := range []string{byDigest, img.tag} {
		if _, err := p.cfg.Engine.ImageTag(ctx, client.ImageTagOptions{Source: id, Target: tag}); err != nil {
			return Result{}, fmt.Errorf("tagging %s: %w", tag, err)
		}
	}
	return Result{ImageID: id, RepoDigest: img.repoDigest, Size: size}, nil
}

// untag takes a loopback name away, also after a pull that was cancelled.
func (p *Puller) untag(ref string) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if _, err := p.cfg.Engine.ImageRemove(ctx, ref, client.ImageRemoveOptions{}); err != nil && !errdefs.IsNotFound(err) {
		p.cfg.Log.Warn("removing a pull's name from the engine", "name", ref, "err", err)
	}
}

// sweep takes away the loopback names that an earlier process of this agent left.
func (p *Puller) sweep(ctx context.Context) error {
	list, err := p.cfg.Engine.ImageList(ctx, client.ImageListOptions{
		Filters: make(client.Filters).Add("reference", "127.0.0.1:*/"+loopbackFolder+"/"+p.loopback.instance+"/*"),
	})
	if err != nil {
		return err
	}
	var errs []error
	for _, img := range list.Items {
		for _, tag := range slices.Concat(img.RepoTags, img.RepoDigests) {
			if strings.Contains(tag, "/"+loopbackFolder+"/"+p.loopback.instance+"/") {
				_, err := p.cfg.Engine.ImageRemove(ctx, tag, client.ImageRemoveOptions{})
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

// instanceOf names an agent by its directory, so that it knows its own leftovers.
func instanceOf(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	return fmt.Sprintf("%x", sha256.Sum256([]byte(dir)))[:12]
}
