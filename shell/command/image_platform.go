package command

import (
	"fmt"
	"runtime"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/match"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// parsePlatform reads --platform; "" is none.
func parsePlatform(s string) (*v1.Platform, error) {
	if s == "" {
		return nil, nil
	}
	p, err := v1.ParsePlatform(s)
	if err == nil && p.Architecture == "" {
		err = fmt.Errorf("%q is not OS/ARCHITECTURE", s)
	}
	return p, err
}

// localPlatform is this machine's, of Linux.
func localPlatform() *v1.Platform { return &v1.Platform{OS: "linux", Architecture: runtime.GOARCH} }

// onPlatform is the image itself, or the one of a platform in an index.
func onPlatform(called string, image remote.Taggable, platform *v1.Platform) (v1.Image, error) {
	index, ok := image.(v1.ImageIndex)
	if !ok {
		return image.(v1.Image), nil
	}
	images, err := partial.FindImages(index, match.Platforms(*platform))
	if err != nil {
		return nil, err
	}
	if len(images) > 0 {
		return images[0], nil
	}
	has, err := platformsOf(index)
	if err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("%s has no image for %s; it has: %s", called, platform, strings.Join(has, ", "))
}

// platformsOf are the platforms that an index has images for.
func platformsOf(index v1.ImageIndex) ([]string, error) {
	m, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	var out []string
	for _, d := range m.Manifests {
		if d.Platform != nil {
			out = append(out, d.Platform.String())
		}
	}
	return out, nil
}
