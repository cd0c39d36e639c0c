package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/containerd/errdefs"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/client"

	"leme/nodeagent/docker/scratch"
)

// sandboxImage remembers that the engine has the image of sandboxes, so that it is asked once.
type sandboxImage struct {
	mu   sync.Mutex
	name string // empty until it is known to be there
}

// ensureSandboxImage makes the sandbox image present and gives its name. The image is built here, from a program of
// our own, so no registry is asked; its name carries its digest, so that another version of it is another image.
func (r *Runtime) ensureSandboxImage(ctx context.Context) (string, error) {
	r.sandboxImage.mu.Lock()
	defer r.sandboxImage.mu.Unlock()
	if r.sandboxImage.name != "" {
		return r.sandboxImage.name, nil
	}
	version, err := r.engine.ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		return "", fmt.Errorf("asking for the engine's architecture: %w", err)
	}
	image, err := buildSandboxImage(version.Arch)
	if err != nil {
		return "", fmt.Errorf("building the sandbox image: %w", err)
	}
	config, err := image.ConfigName()
	if err != nil {
		return "", fmt.Errorf("building the sandbox image: %w", err)
	}
	ref := "leme/sandbox:" + config.Hex[:12]
	_, err = r.engine.ImageInspect(ctx, ref)
	if errdefs.IsNotFound(err) {
		err = r.LoadImage(ctx, ref, image)
	}
	if err != nil {
		return "", fmt.Errorf("making the sandbox image present: %w", err)
	}
	r.sandboxImage.name = ref
	return ref, nil
}

// forgetSandboxImage is for when the engine says that the image is gone.
func (r *Runtime) forgetSandboxImage() {
	r.sandboxImage.mu.Lock()
	defer r.sandboxImage.mu.Unlock()
	r.sandboxImage.name = ""
}

// Where the image has the programs of sandboxes.
const (
	pausePath = "/pause"
	netnsPath = "/netns"
)

func buildSandboxImage(arch string) (v1.Image, error) {
	pause, err := pauseProgram(arch)
	if err != nil {
		return nil, err
	}
	netns, err := netnsProgram(arch)
	if err != nil {
		return nil, err
	}
	config := v1.Config{Entrypoint: []string{pausePath}, User: "65535:65535", StopSignal: "SIGKILL"}
	return scratch.Image(arch, config,
		scratch.File{Path: pausePath[1:], Mode: 0o555, Content: pause},
		scratch.File{Path: netnsPath[1:], Mode: 0o555, Content: netns})
}

// LoadImage hands an image to the engine under a name.
func (r *Runtime) LoadImage(ctx context.Context, ref string, image v1.Image) error {
	tag, err := name.NewTag(ref)
	if err != nil {
		return fmt.Errorf("naming image %q: %w", ref, err)
	}
	archive, w := io.Pipe()
	go func() { w.CloseWithError(tarball.Write(tag, image, w)) }()
	defer archive.Close()
	result, err := r.engine.ImageLoad(ctx, archive, client.ImageLoadWithQuiet(true))
	if err != nil {
		return fmt.Errorf("loading image %s: %w", ref, err)
	}
	defer result.Close()
	if err := loadFailure(result); err != nil {
		return fmt.Errorf("loading image %s: %w", ref, err)
	}
	return nil
}

// loadFailure reads the stream that a load answers with: a failure stands in it, under status 200.
func loadFailure(stream io.Reader) error {
	decoder := json.NewDecoder(stream)
	for {
		var m jsonstream.Message
		switch err := decoder.Decode(&m); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case m.Error != nil:
			return m.Error
		}
	}
}
