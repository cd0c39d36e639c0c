package docker_test

import (
	"runtime"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/moby/client"

	"leme/nodeagent/docker/dockertest"
	"leme/nodeagent/docker/scratch"
	"leme/nodeagent/pod"
)

// TestDropImage: an image goes with all its names, but not while a container is made of it; and the agent knows which
// images it has brought.
func TestDropImage(t *testing.T) {
	t.Parallel()
	n := dockertest.New(t)
	image, err := scratch.Image(runtime.GOARCH, v1.Config{Cmd: []string{"/none"}, Labels: map[string]string{"leme.test.own": dockertest.ID()}})
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigName()
	if err != nil {
		t.Fatal(err)
	}
	id, own := config.String(), "leme/droptest:"+dockertest.ID()
	if err := n.LoadImage(t.Context(), own, image); err != nil {
		t.Fatal(err)
	}
	brought := "leme/droptest:brought-" + dockertest.ID()
	find := func() (pod.Image, bool) {
		all, err := n.Images(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(all, func(i pod.Image) bool { return i.ID == id })
		if i < 0 {
			return pod.Image{}, false
		}
		return all[i], true
	}
	n.RepoDigest = func(name string) string {
		if strings.HasSuffix(name, brought) {
			return "registry/own@sha256:1"
		}
		return ""
	}
	if i, ok := find(); !ok || i.RepoDigest != "" {
		t.Fatalf("an image that somebody else brought: %+v, %t", i, ok)
	}
	if _, err := n.Engine.ImageTag(t.Context(), client.ImageTagOptions{Source: id, Target: brought}); err != nil {
		t.Fatal(err)
	}
	p := n.Pod("user")
	p.Spec.Containers[0].Image = id
	spec := n.Spec(p, n.Sandbox(t, p).ID)
	spec.ImageID = id
	container, err := n.Create(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.DropImage(t.Context(), id); err == nil {
		t.Error("an image that a container is made of went")
	}
	if i, ok := find(); !ok || i.RepoDigest != "registry/own@sha256:1" {
		t.Errorf("it is not known any more: %+v, %t", i, ok)
	}
	if err := n.Remove(t.Context(), container); err != nil {
		t.Fatal(err)
	}
	if err := n.DropImage(t.Context(), id); err != nil {
		t.Error(err)
	}
	if i, ok := find(); ok {
		t.Errorf("it is still there: %+v", i)
	}
	if err := n.DropImage(t.Context(), id); err != nil {
		t.Errorf("what is gone already: %v", err)
	}
}
