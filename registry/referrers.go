package registry

import (
	"context"
	"errors"
	"io/fs"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Referrers lists the manifests of a repository that have d as their subject; an empty artifactType means all of them.
func (r *Registry) Referrers(_ context.Context, repo string, d digest.Digest, artifactType string) ([]ocispec.Descriptor, error) {
	list, err := digests(r.linkPath(repo, referrerLinks, linkName(d)))
	if err != nil {
		return nil, err
	}
	out := []ocispec.Descriptor{}
	for _, ref := range list {
		desc, err := r.referrer(repo, ref)
		switch {
		case errors.Is(err, ErrManifestUnknown), errors.Is(err, fs.ErrNotExist): // deleted since it was listed
		case err != nil:
			return nil, err
		case artifactType == "" || artifactType == desc.ArtifactType:
			out = append(out, desc)
		}
	}
	return out, nil
}

// referrer describes a manifest as a referrers list does.
func (r *Registry) referrer(repo string, d digest.Digest) (ocispec.Descriptor, error) {
	mediaType, err := r.manifestType(repo, d)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	desc, err := r.statContent(d, mediaType)
	if err != nil {
		return desc, err
	}
	m, err := r.readManifest(d)
	desc.ArtifactType, desc.Annotations = m.artifactType(), m.Annotations
	return desc, err
}
