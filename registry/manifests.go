package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/opencontainers/go-digest"
)

// pullTimePrecision is how exactly the registry remembers when a manifest was last pulled.
const pullTimePrecision = time.Hour

// PushManifest stores a manifest of digest d whose parts are all here, and points the tags at it.
func (r *Registry) PushManifest(_ context.Context, repo string, d digest.Digest, tags []string, data []byte, mediaType string) (Manifest, error) {
	m, mediaType, err := parseManifest(data, mediaType)
	if err != nil {
		return m, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.checkParts(repo, m); err != nil {
		return m, err
	}
	if err := r.usage.room(int64(len(data)), r.cfg.Quota); err != nil {
		return m, err
	}
	r.changed(repo, d)
	if err := r.admit(repo, manifestLinks, d, int64(len(data))); err != nil {
		return m, err
	}
	if err := r.writeFile(r.contentPath(d), data); err != nil {
		return m, err
	}
	if err := r.writeFile(r.linkPath(repo, manifestLinks, linkName(d)), []byte(mediaType)); err != nil {
		return m, err
	}
	if m.Subject != nil {
		if err := r.writeFile(r.linkPath(repo, referrerLinks, linkName(m.Subject.Digest), linkName(d)), nil); err != nil {
			return m, err
		}
	}
	for _, tag := range tags {
		if err := r.writeFile(r.linkPath(repo, tagLinks, tag), []byte(d)); err != nil {
			return m, err
		}
	}
	return m, nil
}

// checkParts wants every part of a manifest in the repository; a subject may still be missing, says the specification.
func (r *Registry) checkParts(repo string, m Manifest) error {
	for _, d := range m.blobs() {
		if err := r.hasBlob(repo, d); err != nil {
			return partError(d, err)
		}
	}
	for _, d := range m.children() {
		if _, err := r.manifestType(repo, d); err != nil {
			return partError(d, err)
		}
	}
	if m.Subject != nil {
		return checkDigest(m.Subject.Digest)
	}
	return nil
}

func partError(d digest.Digest, err error) error {
	if errors.Is(err, ErrBlobUnknown) || errors.Is(err, ErrManifestUnknown) {
		return fmt.Errorf("%w: %s", ErrManifestBlobUnknown, d)
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
		return "", ErrManifestUnknown
	}
	return string(mediaType), err
}

// GetManifest opens a manifest by its digest, and remembers that it was asked for.
func (r *Registry) GetManifest(_ context.Context, repo string, d digest.Digest) (*Content, error) {
	mediaType, err := r.manifestType(repo, d)
	if err != nil {
		return nil, err
	}
	link := r.linkPath(repo, manifestLinks, linkName(d))
	if info, err := os.Stat(link); err == nil && time.Since(info.ModTime()) > pullTimePrecision {
		now := time.Now()
		_ = os.Chtimes(link, now, now) // deleted since, at worst
	}
	content, err := r.openContent(d, mediaType)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrManifestUnknown // deleted and collected since
	}
	return content, err
}

// DeleteManifest takes a manifest and the tags that point at it out of a repository.
func (r *Registry) DeleteManifest(_ context.Context, repo string, d digest.Digest) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.manifestType(repo, d); err != nil {
		return err
	}
	r.changed(repo)
	return r.deleteManifest(repo, d)
}

// deleteManifest removes the tags first: a tag never points at nothing. Registry.mu is held.
func (r *Registry) deleteManifest(repo string, d digest.Digest) error {
	tags, err := r.tags(repo)
	if err != nil {
		return err
	}
	for tag, at := range tags {
		if at == d {
			if err := r.removeFile(r.linkPath(repo, tagLinks, tag)); err != nil {
				return err
			}
		}
	}
	m, err := r.readManifest(d)
	if err != nil {
		return err
	}
	if m.Subject != nil {
		if err := r.removeFile(r.linkPath(repo, referrerLinks, linkName(m.Subject.Digest), linkName(d))); err != nil {
			return err
		}
	}
	delete(r.usage.repos, repo)
	return r.removeFile(r.linkPath(repo, manifestLinks, linkName(d)))
}

// readManifest reads stored content as a manifest.
func (r *Registry) readManifest(d digest.Digest) (Manifest, error) {
	var m Manifest
	data, err := os.ReadFile(r.contentPath(d))
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return m, fmt.Errorf("manifest %s: %w", d, err)
	}
	return m, nil
}
