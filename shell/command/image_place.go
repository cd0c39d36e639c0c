package command

import (
	"fmt"
	"os"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
)

// placeKind is a sort of place that images lie in.
type placeKind int

const (
	registryPlace  placeKind = iota // the cluster's registry, or another
	enginePlace                     // the local Docker
	filePlace                       // an archive or a folder that is there: what it holds says which
	archivePlace                    // a tar as docker save makes it
	layoutPlace                     // an OCI layout in a folder
	layoutTarPlace                  // an OCI layout in a tar
)

// imagePlace is where an image is, or is to go.
type imagePlace struct {
	kind placeKind
	at   string // a path, or an image's name
}

// placePrefixes name places in full, as other tools for images do.
var placePrefixes = []struct {
	prefix string
	kind   placeKind
}{
	{"docker://", enginePlace},
	{"docker-archive:", archivePlace},
	{"oci-archive:", layoutTarPlace},
	{"oci:", layoutPlace},
}

const placesHelp = `A place is one of

  NAME, registry.leme/NAME   the cluster's registry
  HOST/NAME                  another registry, with the credentials of docker login
  docker://NAME              the Docker Engine of this machine ($DOCKER_HOST)
  docker-archive:FILE        an archive as docker save makes it; FILE.tar alone means the same
  oci-archive:FILE           an OCI layout in a tar
  oci:FOLDER                 an OCI layout; ./FOLDER and /FOLDER alone mean the same`

// prefixedPlace reads a place that says what it is.
func prefixedPlace(s string) (imagePlace, bool) {
	for _, p := range placePrefixes {
		if at, ok := strings.CutPrefix(s, p.prefix); ok {
			return imagePlace{p.kind, at}, true
		}
	}
	return imagePlace{}, false
}

// sourcePlace reads where images come from; a bare name is of the kind that bare says.
func sourcePlace(s string, bare placeKind) imagePlace {
	if p, ok := prefixedPlace(s); ok {
		if p.kind == archivePlace || p.kind == layoutPlace || p.kind == layoutTarPlace {
			p.kind = filePlace
		}
		return p
	}
	if _, err := os.Stat(s); err == nil || isPath(s) {
		return imagePlace{filePlace, s}
	}
	return imagePlace{bare, s}
}

// targetPlace reads where images go.
func targetPlace(s string) imagePlace {
	p, ok := prefixedPlace(s)
	switch {
	case ok:
		return p
	case strings.HasSuffix(s, ".tar"):
		return imagePlace{archivePlace, s}
	case isPath(s):
		return imagePlace{layoutPlace, s}
	}
	return imagePlace{registryPlace, s}
}

// isPath says that no image is called so.
func isPath(s string) bool {
	for _, begin := range []string{"/", "./", "../"} {
		if strings.HasPrefix(s, begin) {
			return true
		}
	}
	return s == "." || s == ".." || strings.HasSuffix(s, "/") || strings.HasSuffix(s, ".tar")
}

// reference is the image's name in full; one without a registry is in the cluster's.
func (p imagePlace) reference() (name.Reference, error) {
	if isOwn(p.at) {
		return imageRef(p.at)
	}
	ref, err := name.ParseReference(p.at)
	if err != nil {
		return nil, fmt.Errorf("the image's name: %w", err)
	}
	return ref, nil
}

// isOwn says that a name is of the cluster's registry.
func isOwn(s string) bool {
	_, err := withoutHost(s)
	return err == nil
}
