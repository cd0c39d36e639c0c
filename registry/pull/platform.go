package pull

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// maxIndexes bounds how deep indexes may lie in each other.
const maxIndexes = 4

// imageOf follows indexes to the image of a platform.
func imageOf(ctx context.Context, repo name.Repository, desc *remote.Descriptor, want v1.Platform, options []remote.Option) (v1.Image, error) {
	for range maxIndexes {
		if !desc.MediaType.IsIndex() {
			if !desc.MediaType.IsImage() && !desc.MediaType.IsSchema1() {
				return nil, fmt.Errorf("%w: %s is of type %s, which is no image", errAnswer, desc.Digest, desc.MediaType)
			}
			return desc.Image()
		}
		index, err := desc.ImageIndex()
		if err != nil {
			return nil, err
		}
		m, err := index.IndexManifest()
		if err != nil {
			return nil, err
		}
		best, ok := choose(m.Manifests, want)
		if !ok {
			return nil, fmt.Errorf("%w for this node's platform, %s", ErrNotFound, want)
		}
		if desc, err = remote.Get(repo.Digest(best.Digest.String()), options...); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%w: more than %d indexes in each other", errAnswer, maxIndexes)
}

// choose finds the descriptor that fits a platform best; among equals the first. An index in the index, of which
// nothing is said, comes last.
func choose(all []v1.Descriptor, want v1.Platform) (best v1.Descriptor, ok bool) {
	most := 0
	for _, d := range all {
		fits := 0
		switch {
		case d.Platform != nil:
			fits = fitness(*d.Platform, want)
		case d.MediaType.IsIndex() || d.MediaType.IsImage():
			fits = 1
		}
		if fits > most {
			best, most = d, fits
		}
	}
	return best, most > 0
}

// fitness says how well a platform's programs run on another one: not at all, 0, or the better the more.
func fitness(have, want v1.Platform) int {
	have, want = normal(have), normal(want)
	if have.OS != want.OS || have.OSVersion != "" && want.OSVersion != "" && have.OSVersion != want.OSVersion {
		return 0
	}
	if have.Architecture == "arm" && want.Architecture == "arm64" { // its processors run those of arm, up to v8
		return 10 + version(have.Variant)
	}
	if have.Architecture == "386" && want.Architecture == "amd64" {
		return 10
	}
	if have.Architecture != want.Architecture || version(have.Variant) > version(want.Variant) {
		return 0
	}
	return 100 + version(have.Variant)
}

// normal fills in what a platform leaves open.
func normal(p v1.Platform) v1.Platform {
	p.OS, p.Architecture, p.Variant = strings.ToLower(p.OS), strings.ToLower(p.Architecture), strings.ToLower(p.Variant)
	switch p.Architecture {
	case "x86_64", "x86-64":
		p.Architecture = "amd64"
	case "aarch64":
		p.Architecture = "arm64"
	case "i386", "i686":
		p.Architecture = "386"
	case "armhf", "armv7l":
		p.Architecture, p.Variant = "arm", "v7"
	case "armel", "armv6l":
		p.Architecture, p.Variant = "arm", "v6"
	}
	if p.Variant == "" {
		p.Variant = map[string]string{"amd64": "v1", "arm": "v7", "arm64": "v8"}[p.Architecture]
	}
	return p
}

// version is a variant's number: v7 is 7.
func version(variant string) int {
	major, _, _ := strings.Cut(strings.TrimPrefix(variant, "v"), ".")
	n, err := strconv.Atoi(major)
	if err != nil || n < 0 || n > 80 {
		return 0
	}
	return n
}
