package command

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// movedImage is what a command has pushed, pulled, built or removed, and the shape of its JSON and YAML.
type movedImage struct {
	Name   string `json:"name"`
	Digest string `json:"digest,omitempty"`
}

func moved(ref name.Reference, image remote.Taggable) (movedImage, error) {
	digest, err := image.(interface{ Digest() (v1.Hash, error) }).Digest()
	return movedImage{ref.Name(), digest.String()}, err
}

// printMoved says what was done with images, a line each.
func printMoved(out io.Writer, output, done string, images []movedImage) error {
	slices.SortFunc(images, func(a, b movedImage) int { return strings.Compare(a.Name, b.Name) })
	if output == "json" || output == "yaml" {
		return printAs(out, output, map[string]any{"images": images})
	}
	for _, img := range images {
		line := img.Name
		if output != "name" {
			line += " " + done
			if img.Digest != "" {
				line += ", digest " + img.Digest
			}
		}
		if _, err := fmt.Fprintln(out, line); err != nil {
			return err
		}
	}
	return nil
}
