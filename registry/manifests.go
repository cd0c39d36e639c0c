package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"cuelabs.dev/go/oci/ociregistry"
	"github.com/opencontainers/go-digest"
)

// manifest is what image manifests and indexes, OCI's and Docker's, have in common: what they name.
type manifest struct {
	SchemaVersion int                      `json:"schemaVersion"`
	MediaType     string                   `json:"mediaType"`
	ArtifactType  string                   `json:"artifactType"`
	Config        *ociregistry.Descriptor  `json:"config"`
	Layers        []ociregistry.Descriptor `json:"layers"`
	Blobs         []ociregistry.Descriptor `json:"blobs"`
	Manifests     []ociregistry.Descriptor `json:"manifests"`
	Subject       *ociregistry.Descriptor  `json:"subject"`
	Annotations   map[string]string        `json:"annotations"`
}

// parseManifest reads a manifest and settles its media type: the header's, or its own where the header has none.
func parseManifest(data []byte, header string) (manifest, string, error) {
	var m manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return m, "", fmt.Errorf("%w: %w", ociregistry.ErrManifestInvalid, err)
	}
	if m.SchemaVersion != 2 {
		return m, "", fmt.Errorf("%w: schemaVersion %d is not served here, only 2", ociregistry.ErrManifestInvalid, m.SchemaVersion)
	}
	if header == "" || header == octetStream {
		header = m.MediaType
	}
	if header == "" {
		return m, "", fmt.Errorf("%w: no media type", ociregistry.ErrManifestInvalid)
	}
	if m.MediaType != "" && m.MediaType != header {
		return m, "", fmt.Errorf("%w: it is a %s, sent as %s", ociregistry.ErrManifestInvalid, m.MediaType, header)
	}
	return m, header, nil
}

// blobs are the blobs that must be here for the manifest to be whole; a descriptor with URLs is fetched from elsewhere.
func (m *manifest) blobs() []digest.Digest {
	var out []digest.Digest
	if m.Config != nil {
		out = append(out, m.Config.Digest)
	}
	for _, list := range [][]ociregistry.Descriptor{m.Layers, m.Blobs} {
		for _, l := range list {
			if len(l.URLs) == 0 {
				out = append(out, l.Digest)
			}
		}
	}
	return out
}

// PushManifest stores a manifest whose parts are all here, and points tag at it unless that is empty.
func (r *Registry) PushManifest(ctx context.Context, repo, tag string, data []byte, mediaType string) (ociregistry.Descriptor, error) {
	m, mediaType, err := parseManifest(data, mediaType)
	if err != nil {
		return ociregistry.Descriptor{}, err
	}
	d := digest.FromBytes(data)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.checkParts(repo, m); err != nil {
		return ociregistry.Descriptor{}, err
	}
	if err := r.writeFile(r.contentPath(d), data); err != nil {
		return ociregistry.Descriptor{}, err
	}
	if err := r.writeFile(r.linkPath(repo, manifestLinks, linkName(d)), []byte(mediaType)); err != nil {
		return ociregistry.Descriptor{}, err
	}
	if m.Subject != nil {
		if err := r.writeFile(r.linkPath(repo, referrerLinks, linkName(m.Subject.Digest), linkName(d)), nil); err != nil {
			return ociregistry.Descriptor{}, err
		}
	}
	if tag != "" {
		if err := r.writeFile(r.linkPath(repo, tagLinks, tag), []byte(d)); err != nil {
			return ociregistry.Descriptor{}, err
		}
	}
	return ociregistry.Descriptor{MediaType: mediaType, Digest: d, Size: int64(len(data))}, nil
}

// checkParts wants every part of a manifest in the repository; a subject may still be missing, says the specification.
func (r *Registry) checkParts(repo string, m manifest) error {
	for _, d := range m.blobs() {
		if err := r.hasBlob(repo, d); err != nil {
			return partError(d, err)
		}
	}
	for _, child := range m.Manifests {
		if _, err := r.manifestType(repo, child.Digest); err != nil {
			return partError(child.Digest, err)
		}
	}
	if m.Subject != nil {
		return checkDigest(m.Subject.Digest)
	}
	return nil
}

func partError(d digest.Digest, err error) error {
	if errors.Is(err, ociregistry.ErrBlobUnknown) || errors.Is(err, ociregistry.ErrManifestUnknown) {
		return fmt.Errorf("%w: %s", ociregistry.ErrManifestBlobUnknown, d)
	}
	return err
}

// manifestType is the media type of a manifest that the repository has.
func (r *Registry) manifestType(repo string, d digest.Digest) (string, error) {
	if err := checkDigest(d); err != nil {
		return "", err
	}
	mediaType, err := os.ReadFile(r.linkPath(repo, manifestLinks, linkName(d)))
	if errors.Is(err, fs.ErrNotExist) {
		return "", ociregistry.ErrManifestUnknown
	}
	return string(mediaType), err
}

// GetManifest opens a manifest by its digest.
func (r *Registry) GetManifest(ctx context.Context, repo string, d ociregistry.Digest) (ociregistry.BlobReader, error) {
	mediaType, err := r.manifestType(repo, d)
	if err != nil {
		return nil, err
	}
	return r.openContent(d, mediaType)
}

// ResolveManifest finds a manifest's media type and size.
func (r *Registry) ResolveManifest(ctx context.Context, repo string, d ociregistry.Digest) (ociregistry.Descriptor, error) {
	mediaType, err := r.manifestType(repo, d)
	if err != nil {
		return ociregistry.Descriptor{}, err
	}
	return r.statContent(d, mediaType)
}

// DeleteManifest takes a manifest and the tags that point at it out of a repository.
func (r *Registry) DeleteManifest(ctx context.Context, repo string, d ociregistry.Digest) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.manifestType(repo, d); err != nil {
		return err
	}
	return r.deleteManifest(repo, d)
}

// deleteManifest removes the tags first: a tag never points at nothing.
func (r *Registry) deleteManifest(repo string, d digest.Digest) error {
	tags, err := r.tags(repo)
	if err != nil {
		return err
	}
	for tag, at := range tags {
		if at == d {
			if err := removeFile(r.linkPath(repo, tagLinks, tag)); err != nil {
				return err
			}
		}
	}
	m, err := r.readManifest(d)
	if err != nil {
		return err
	}
	if m.Subject != nil {
		if err := removeFile(r.linkPath(repo, referrerLinks, linkName(m.Subject.Digest), linkName(d))); err != nil {
			return err
		}
	}
	return removeFile(r.linkPath(repo, manifestLinks, linkName(d)))
}

// readManifest reads stored content as a manifest.
func (r *Registry) readManifest(d digest.Digest) (manifest, error) {
	var m manifest
	data, err := os.ReadFile(r.contentPath(d))
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return m, fmt.Errorf("manifest %s: %w", d, err)
	}
	return m, nil
}

// referenced maps each digest that a manifest of the repository names to that manifest.
func (r *Registry) referenced(repo string) (map[digest.Digest]digest.Digest, error) {
	list, err := digests(r.linkPath(repo, manifestLinks))
	if err != nil {
		return nil, err
	}
	out := map[digest.Digest]digest.Digest{}
	for _, d := range list {
		m, err := r.readManifest(d)
		if err != nil {
			return nil, err
		}
		for _, part := range m.blobs() {
			out[part] = d
		}
		for _, child := range m.Manifests {
			out[child.Digest] = d
		}
	}
	return out, nil
}
