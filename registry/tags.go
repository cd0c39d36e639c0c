package registry

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"cuelabs.dev/go/oci/ociregistry"
	"github.com/opencontainers/go-digest"
)

// tag reads what a tag points at.
func (r *Registry) tag(repo, name string) (digest.Digest, error) {
	data, err := os.ReadFile(r.linkPath(repo, tagLinks, name))
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%w: no tag %s in %s", ociregistry.ErrManifestUnknown, name, repo)
	}
	if err != nil {
		return "", err
	}
	return digest.Parse(string(data))
}

// tags maps each tag of a repository to what it points at.
func (r *Registry) tags(repo string) (map[string]digest.Digest, error) {
	list, err := names(r.linkPath(repo, tagLinks))
	if err != nil {
		return nil, err
	}
	out := make(map[string]digest.Digest, len(list))
	for _, name := range list {
		if out[name], err = r.tag(repo, name); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// GetTag opens the manifest that a tag points at.
func (r *Registry) GetTag(ctx context.Context, repo, name string) (ociregistry.BlobReader, error) {
	d, err := r.tag(repo, name)
	if err != nil {
		return nil, err
	}
	return r.GetManifest(ctx, repo, d)
}

// ResolveTag finds the digest, media type and size of what a tag points at.
func (r *Registry) ResolveTag(ctx context.Context, repo, name string) (ociregistry.Descriptor, error) {
	d, err := r.tag(repo, name)
	if err != nil {
		return ociregistry.Descriptor{}, err
	}
	return r.ResolveManifest(ctx, repo, d)
}

// DeleteTag removes a tag and leaves the manifest.
func (r *Registry) DeleteTag(ctx context.Context, repo, name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.tag(repo, name); err != nil {
		return err
	}
	return removeFile(r.linkPath(repo, tagLinks, name))
}

// Tags lists a repository's tags after startAfter, in lexical order.
func (r *Registry) Tags(ctx context.Context, repo, startAfter string) iter.Seq2[string, error] {
	manifests, err := names(r.linkPath(repo, manifestLinks))
	if err == nil && len(manifests) == 0 {
		err = fmt.Errorf("%w: %s", ociregistry.ErrNameUnknown, repo)
	}
	if err != nil {
		return ociregistry.ErrorSeq[string](err)
	}
	list, err := names(r.linkPath(repo, tagLinks))
	return after(list, startAfter, err)
}

// Repositories lists the repositories that have a manifest, after startAfter, in lexical order.
func (r *Registry) Repositories(ctx context.Context, startAfter string) iter.Seq2[string, error] {
	list, err := r.repositories()
	if err != nil {
		return ociregistry.ErrorSeq[string](err)
	}
	list = slices.DeleteFunc(list, func(repo string) bool {
		manifests, e := names(r.linkPath(repo, manifestLinks))
		err = errors.Join(err, e)
		return len(manifests) == 0
	})
	return after(list, startAfter, err)
}

// Referrers lists the manifests of a repository that have d as their subject.
func (r *Registry) Referrers(ctx context.Context, repo string, d ociregistry.Digest, artifactType string) iter.Seq2[ociregistry.Descriptor, error] {
	return func(yield func(ociregistry.Descriptor, error) bool) {
		list, err := digests(r.linkPath(repo, referrerLinks, linkName(d)))
		if err != nil {
			yield(ociregistry.Descriptor{}, err)
			return
		}
		for _, ref := range list {
			desc, err := r.referrer(ctx, repo, ref)
			if errors.Is(err, ociregistry.ErrManifestUnknown) {
				continue // deleted since it was listed
			}
			if err == nil && artifactType != "" && desc.ArtifactType != artifactType {
				continue
			}
			if !yield(desc, err) || err != nil {
				return
			}
		}
	}
}

// referrer describes a manifest as a referrers list does.
func (r *Registry) referrer(ctx context.Context, repo string, d digest.Digest) (ociregistry.Descriptor, error) {
	desc, err := r.ResolveManifest(ctx, repo, d)
	if err != nil {
		return desc, err
	}
	m, err := r.readManifest(d)
	if err != nil {
		return desc, err
	}
	desc.ArtifactType, desc.Annotations = m.ArtifactType, m.Annotations
	if desc.ArtifactType == "" && m.Config != nil {
		desc.ArtifactType = m.Config.MediaType
	}
	return desc, nil
}

// repositories lists every repository that has a folder, in lexical order of its name.
func (r *Registry) repositories() ([]string, error) {
	root, seen := r.repositoriesDir(), map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasPrefix(d.Name(), "_") {
			return err
		}
		repo, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		seen[filepath.ToSlash(repo)] = true
		return fs.SkipDir
	})
	list := make([]string, 0, len(seen))
	for repo := range seen {
		list = append(list, repo)
	}
	sort.Strings(list)
	return list, err
}

// after yields the part of a sorted list that comes after start, or the error.
func after(list []string, start string, err error) iter.Seq2[string, error] {
	if err != nil {
		return ociregistry.ErrorSeq[string](err)
	}
	i, found := slices.BinarySearch(list, start)
	if found {
		i++
	}
	return ociregistry.SliceSeq(list[i:])
}
