package test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"leme/nodeagent/docker/scratch"
)

// toolImage is the image of the test program (test/tool): its entry point is /tool, it is tar too, and it has a
// world-writable /tmp. It is built once.
var toolImage = sync.OnceValues(func() (v1.Image, error) {
	dir, err := os.MkdirTemp("", "leme-test-tool-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "tool")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", binary, "leme/test/tool")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the test program: %w\n%s", err, out)
	}
	program, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	return scratch.Image(runtime.GOARCH, v1.Config{Entrypoint: []string{"/tool"}, Cmd: []string{"stay"}},
		scratch.File{Path: "tool", Mode: 0o755, Content: program},
		scratch.File{Path: "bin/tar", Mode: 0o755, Content: program},
		scratch.File{Path: "tmp/", Mode: 0o1777},
	)
})

// pushTool puts the test program into the cluster's registry, under a tag of its content: the engine, which all
// clusters of this machine share, may have an older one.
func (c *cluster) pushTool() (string, error) {
	image, err := toolImage()
	if err != nil {
		return "", err
	}
	id, err := image.ConfigName()
	if err != nil {
		return "", err
	}
	repository := "tool:" + id.Hex[:12]
	ref, err := name.NewTag("registry.leme/" + repository)
	if err != nil {
		return "", err
	}
	archive := filepath.Join(c.home, "tool.tar")
	if err := tarball.WriteToFile(archive, ref, image); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if out, err := c.command(ctx, "image", "push", archive, repository).CombinedOutput(); err != nil {
		return "", fmt.Errorf("leme image push: %w\n%s", err, out)
	}
	return ref.String(), nil
}

// mustTool is the name of the test program's image in the cluster's registry.
func (c *cluster) mustTool(t *testing.T) string {
	t.Helper()
	image, err := c.tool()
	if err != nil {
		t.Fatal(err)
	}
	return image
}
