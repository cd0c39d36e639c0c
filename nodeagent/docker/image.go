package docker

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/moby/moby/client"

	"leme/nodeagent/pod"
)

// Image looks an image up by a name as pods have it, or by ID; ok is false when the engine does not have it.
func (r *Runtime) Image(ctx context.Context, ref string) (image pod.Image, ok bool, err error) {
	defer plainly(&err)
	names, err := r.engineNames(ref)
	if err != nil {
		return pod.Image{}, false, fmt.Errorf("looking up image %q: %w", ref, err)
	}
	for _, name := range names {
		result, err := r.engine.ImageInspect(ctx, name)
		if errdefs.IsNotFound(err) {
			continue
		}
		if err != nil {
			return pod.Image{}, false, fmt.Errorf("looking up image %s: %w", ref, err)
		}
		i := pod.Image{ID: result.ID, Size: result.Size}
		i.Names, i.RepoDigest = r.names(result.RepoTags, repositoryOf(ref))
		if c := result.Config; c != nil {
			i.User, i.Entrypoint, i.Cmd = c.User, c.Entrypoint, c.Cmd
		}
		return i, true, nil
	}
	return pod.Image{}, false, nil
}

// engineNames are the names under which the engine may have an image: an ID, or whole names, which are never taken for
// the beginning of an ID. The puller's own name for it comes second: it differs for a reference by digest, which the
// engine only knows of what it pulled itself.
func (r *Runtime) engineNames(ref string) ([]string, error) {
	parsed, err := reference.ParseAnyReference(ref)
	if err != nil {
		return nil, err
	}
	if _, isName := parsed.(reference.Named); !isName {
		return []string{parsed.String()}, nil
	}
	whole, err := reference.ParseDockerRef(ref)
	if err != nil {
		return nil, err
	}
	names := []string{whole.String()}
	if r.LocalName == nil {
		return names, nil
	}
	local, err := r.LocalName(ref)
	if err == nil && local != names[0] {
		names = append(names, local)
	}
	return names, err
}

// Images lists the images that the engine has, those without a name left out.
func (r *Runtime) Images(ctx context.Context) ([]pod.Image, error) {
	list, err := r.engine.ImageList(ctx, client.ImageListOptions{})
	if err != nil {
		return nil, fmt.Errorf("listing images: %w", err)
	}
	var all []pod.Image
	for _, i := range list.Items {
		if names, digest := r.names(i.RepoTags, ""); len(names) > 0 {
			all = append(all, pod.Image{ID: i.ID, Names: names, RepoDigest: digest, Size: i.Size})
		}
	}
	return all, nil
}

// names makes an image's names of the engine's tags: by digest first, then the others. repoDigest is one of those
// by digest, of this repository where there is one.
func (r *Runtime) names(tags []string, repository string) (names []string, repoDigest string) {
	var digests []string
	for _, tag := range tags {
		switch digest := r.digestOf(tag); {
		case digest != "":
			digests = append(digests, digest)
		case tag != "<none>:<none>":
			names = append(names, tag)
		}
	}
	slices.Sort(digests)
	if i := slices.IndexFunc(digests, func(d string) bool { return strings.HasPrefix(d, repository+"@") }); i >= 0 {
		repoDigest = digests[i]
	} else if len(digests) > 0 {
		repoDigest = digests[0]
	}
	return append(digests, names...), repoDigest
}

func (r *Runtime) digestOf(tag string) string {
	if r.RepoDigest == nil {
		return ""
	}
	return r.RepoDigest(tag)
}

// repositoryOf is the repository that a name is in, empty for an ID.
func repositoryOf(ref string) string {
	named, err := reference.ParseDockerRef(ref)
	if err != nil {
		return ""
	}
	return named.Name()
}

// SaveImage gives an image as an archive: its configuration and its layers, each a tar.
func (r *Runtime) SaveImage(ctx context.Context, id string) (io.ReadCloser, error) {
	archive, err := r.engine.ImageSave(ctx, []string{id})
	if err != nil {
		return nil, fmt.Errorf("taking image %s out of the engine: %w", id, err)
	}
	return archive, nil
}

// DropImage takes all of an image's names away, by which the engine removes it. The puller's own name goes last: it is how
// an agent knows its images. An image that a container is made of keeps its last name, and that is an error.
func (r *Runtime) DropImage(ctx context.Context, id string) error {
	result, err := r.engine.ImageInspect(ctx, id)
	if errdefs.IsNotFound(err) {
		return nil
	} else if err != nil {
		return fmt.Errorf("removing image %s: %w", id, err)
	}
	names := result.RepoTags
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(len(r.digestOf(a)), len(r.digestOf(b))) })
	for _, name := range names {
		if err := r.RemoveImage(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// RemoveImage removes an image, or a name of it. What is gone already is no error; what a container uses is.
func (r *Runtime) RemoveImage(ctx context.Context, ref string) error {
	_, err := r.engine.ImageRemove(ctx, ref, client.ImageRemoveOptions{PruneChildren: true})
	if err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("removing image %s: %w", ref, err)
	}
	return nil
}
