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
	program, err := built("leme/test/tool")
	if err != nil {
		return nil, err
	}
	return scratch.Image(runtime.GOARCH, v1.Config{Entrypoint: []string{"/tool"}, Cmd: []string{"stay"}},
		scratch.File{Path: "tool", Mode: 0o755, Content: program},
		scratch.File{Path: "bin/tar", Mode: 0o755, Content: program},
		scratch.File{Path: "tmp/", Mode: 0o1777},
	)
})

// built is a program of this module.
func built(pkg string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "leme-test-program-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "program")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", binary, pkg)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building %s: %w\n%s", pkg, err, out)
	}
	return os.ReadFile(binary)
}

// pushTool puts the test program into the cluster's registry.
func (c *cluster) pushTool() (string, error) {
	image, err := toolImage()
	if err != nil {
		return "", err
	}
	return c.push("tool", image)
}

// push puts an image into the cluster's registry, under a tag of its content: the engine, which all clusters of this
// machine share, may have an older one.
func (c *cluster) push(repository string, image v1.Image) (string, error) {
	id, err := image.ConfigName()
	if err != nil {
		return "", err
	}
	tagged := repository + ":" + id.Hex[:12]
	ref, err := name.NewTag("registry.leme/" + tagged)
	if err != nil {
		return "", err
	}
	archive := filepath.Join(c.home, repository+".tar")
	if err := tarball.WriteToFile(archive, ref, image); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if out, err := c.command(ctx, "image", "push", archive, tagged).CombinedOutput(); err != nil {
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
