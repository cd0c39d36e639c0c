package pull

import (
	"fmt"
	"strings"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
)

// LocalName is the name under which the engine has the image that a reference names, after Pull: the name itself in
// full, and for a reference by digest a tag made of the digest, since engines refuse to tag with digests.
func LocalName(ref string) (string, error) {
	n, err := reference.ParseDockerRef(ref)
	if err != nil {
		return "", fmt.Errorf("%w %q: %w", ErrInvalidName, ref, err)
	}
	if d, ok := n.(reference.Digested); ok {
		return n.Name() + ":" + strings.Replace(d.Digest().String(), ":", "-", 1), nil
	}
	return n.String(), nil
}

// RepoDigest undoes LocalName for a name made of a digest: repository@sha256:…, and empty for any other name. Pull
// gives every image such a name beside its own: so the engine knows for good what an image came as, though it only
// ever saw the loopback registry.
func RepoDigest(localName string) string {
	n, err := reference.ParseDockerRef(localName)
	if err != nil {
		return ""
	}
	tagged, ok := n.(reference.Tagged)
	if !ok {
		return ""
	}
	d := digest.Digest(strings.Replace(tagged.Tag(), "-", ":", 1))
	if d.Validate() != nil {
		return ""
	}
	return n.Name() + "@" + d.String()
}
