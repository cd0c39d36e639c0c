package registry

import (
	"encoding/json"
	"fmt"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Manifest is what image manifests and indexes, OCI's and Docker's, have in common: what they name.
type Manifest struct {
	SchemaVersion int                  `json:"schemaVersion"`
	MediaType     string               `json:"mediaType"`
	ArtifactType  string               `json:"artifactType"`
	Config        *ocispec.Descriptor  `json:"config"`
	Layers        []ocispec.Descriptor `json:"layers"`
	Blobs         []ocispec.Descriptor `json:"blobs"`
	Manifests     []ocispec.Descriptor `json:"manifests"`
	Subject       *ocispec.Descriptor  `json:"subject"`
	Annotations   map[string]string    `json:"annotations"`
}

// parseManifest reads a manifest and settles its media type: the header's, or its own where the header has none.
func parseManifest(data []byte, header string) (Manifest, string, error) {
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return m, "", fmt.Errorf("%w: %w", ErrManifestInvalid, err)
	}
	if m.SchemaVersion != 2 {
		return m, "", fmt.Errorf("%w: schemaVersion %d is not served here, only 2", ErrManifestInvalid, m.SchemaVersion)
	}
	if header == "" || header == octetStream {
		header = m.MediaType
	}
	if header == "" {
		return m, "", fmt.Errorf("%w: no media type", ErrManifestInvalid)
	}
	if m.MediaType != "" && m.MediaType != header {
		return m, "", fmt.Errorf("%w: it is a %s, sent as %s", ErrManifestInvalid, m.MediaType, header)
	}
	return m, header, nil
}

// blobs are the blobs that must be here for the manifest to be whole; a descriptor with URLs is fetched from elsewhere.
func (m *Manifest) blobs() []digest.Digest {
	var out []digest.Digest
	if m.Config != nil {
		out = append(out, m.Config.Digest)
	}
	for _, list := range [][]ocispec.Descriptor{m.Layers, m.Blobs} {
		for _, l := range list {
			if len(l.URLs) == 0 {
				out = append(out, l.Digest)
			}
		}
	}
	return out
}

// children are the manifests that an index names.
func (m *Manifest) children() []digest.Digest {
	var out []digest.Digest
	for _, child := range m.Manifests {
		out = append(out, child.Digest)
	}
	return out
}

// artifactType is what a referrers list calls the manifest.
func (m *Manifest) artifactType() string {
	if m.ArtifactType == "" && m.Config != nil {
		return m.Config.MediaType
	}
	return m.ArtifactType
}
