package command

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"golang.org/x/sync/errgroup"
)

// imageInfo is what the commands know of an image in the registry, and the shape of their JSON and YAML.
type imageInfo struct {
	Name      string     `json:"name"`
	Digest    string     `json:"digest"`
	MediaType string     `json:"mediaType"`
	Size      int64      `json:"size"` // of everything, in bytes, compressed
	Created   *time.Time `json:"created,omitempty"`
	Platforms []string   `json:"platforms,omitempty"`

	// Only of one platform's image, and only for inspect.
	Config *v1.Config   `json:"config,omitempty"`
	Layers []imageLayer `json:"layers,omitempty"`
}

type imageLayer struct {
	Digest    string `json:"digest"`
	MediaType string `json:"mediaType"`
	Size      int64  `json:"size"`
}

// info reads one image, or an index and the images in it.
func (r *imageRegistry) info(ctx context.Context, ref name.Reference) (imageInfo, error) {
	desc, err := remote.Get(ref, r.options(ctx)...)
	if err != nil {
		return imageInfo{}, r.explain(shortName(ref), err)
	}
	info := imageInfo{Name: ref.Name(), Digest: desc.Digest.String(), MediaType: string(desc.MediaType)}
	if !desc.MediaType.IsIndex() {
		img, err := desc.Image()
		if err != nil {
			return info, fmt.Errorf("reading %s: %w", shortName(ref), err)
		}
		return info, info.add(img)
	}
	index, err := desc.ImageIndex()
	if err != nil {
		return info, fmt.Errorf("reading %s: %w", shortName(ref), err)
	}
	m, err := index.IndexManifest()
	if err != nil {
		return info, err
	}
	for _, child := range m.Manifests {
		if !child.MediaType.IsImage() {
			continue
		}
		img, err := index.Image(child.Digest)
		if err != nil {
			return info, err
		}
		if err := info.add(img); err != nil {
			return info, err
		}
	}
	info.Config, info.Layers = nil, nil
	return info, nil
}

// add counts an image in.
func (i *imageInfo) add(img v1.Image) error {
	m, err := img.Manifest()
	if err != nil {
		return err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return err
	}
	i.Size += m.Config.Size
	for _, l := range m.Layers {
		i.Size += l.Size
		i.Layers = append(i.Layers, imageLayer{l.Digest.String(), string(l.MediaType), l.Size})
	}
	if created := config.Created.Time; created.Unix() > 0 && (i.Created == nil || created.After(*i.Created)) {
		i.Created = &created
	}
	if p := config.Platform(); p != nil && p.OS != "" {
		i.Platforms = append(i.Platforms, p.String())
	}
	i.Config = &config.Config
	return nil
}

// tags lists a repository's tags.
func (r *imageRegistry) tags(ctx context.Context, repo name.Repository) ([]string, error) {
	tags, err := remote.List(repo, r.options(ctx)...)
	return tags, r.explain(repo.RepositoryStr(), err)
}

// list reads every tagged image, or those of the repositories named, in the order of their names.
func (r *imageRegistry) list(ctx context.Context, repos []string) ([]imageInfo, error) {
	if len(repos) == 0 {
		host, err := name.NewRegistry(imageHost)
		if err != nil {
			return nil, err
		}
		if repos, err = remote.Catalog(ctx, host, r.options(ctx)...); err != nil {
			return nil, r.explain("listing images", err)
		}
	}
	var refs []name.Reference
	for _, s := range repos {
		repo, err := imageRepo(s)
		if err != nil {
			return nil, err
		}
		tags, err := r.tags(ctx, repo)
		if err != nil {
			return nil, err
		}
		for _, t := range tags {
			refs = append(refs, repo.Tag(t))
		}
	}
	infos := make([]imageInfo, len(refs))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for i, ref := range refs {
		group.Go(func() (err error) {
			infos[i], err = r.info(ctx, ref)
			infos[i].Config, infos[i].Layers = nil, nil
			return err
		})
	}
	err := group.Wait()
	sort.SliceStable(infos, func(i, j int) bool { return infos[i].Name < infos[j].Name })
	return slices.Clip(infos), err
}
