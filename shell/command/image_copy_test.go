package command

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
)

// testPlatforms is an OCI layout with an image for two platforms.
func testPlatforms(t *testing.T, dir string) string {
	t.Helper()
	index := mutate.AppendManifests(empty.Index)
	for _, arch := range []string{"amd64", "arm64"} {
		img, err := random.Image(1000, 1)
		noError(t, err)
		img, err = mutate.ConfigFile(img, &v1.ConfigFile{OS: "linux", Architecture: arch, RootFS: rootFS(t, img)})
		noError(t, err)
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}},
		})
	}
	p, err := layout.Write(dir, empty.Index)
	noError(t, err)
	noError(t, p.AppendIndex(index))
	return dir
}

func TestImageCopyOfOnePlatform(t *testing.T) {
	run := imageCluster(t)
	dir := t.TempDir()
	_, err := run("push", testPlatforms(t, filepath.Join(dir, "source")), "web:1")
	noError(t, err)
	for _, c := range []struct {
		args []string
		want string // part of what inspect says of the copy, or of the error
	}{
		{[]string{"copy", "web:1", "one:1", "--platform=linux/arm64"}, "platforms:\n- linux/arm64\n"},
		{[]string{"copy", "web:1", "one:1", "--platform=linux/s390x"}, "has no image for linux/s390x; it has: linux/amd64, linux/arm64"},
		{[]string{"copy", "web:1", "one:1", "--platform=linux"}, "is not OS/ARCHITECTURE"},
		{[]string{"copy", "web:3", "one:1"}, "web:3: not in the cluster's registry"},
		{[]string{"copy", filepath.Join(dir, "none.tar"), "one:1"}, "is no file here"},
		{[]string{"copy", "web:1", "one:1", "-o", "xml"}, "--output must be one of"},
		{[]string{"copy", "web:1", "localhost:1/one:1"}, "connection refused"},
		{[]string{"pull", "web:1", filepath.Join(dir, "missing", "x.tar")}, "no such file"},
	} {
		out, err := run(c.args...)
		if err == nil {
			out, err = run("inspect", "one:1")
		}
		if err != nil {
			out = err.Error()
		}
		if !strings.Contains(out, c.want) {
			t.Errorf("leme image %s: %s, want %q in it", strings.Join(c.args, " "), out, c.want)
		}
	}
}

func TestImageOutputs(t *testing.T) {
	run := imageCluster(t)
	img, err := random.Image(1000, 1)
	noError(t, err)
	digest, err := img.Digest()
	noError(t, err)
	archive := testArchive(t, filepath.Join(t.TempDir(), "a.tar"), "hello:1.0", img)
	type images struct{ Images []movedImage }
	for _, c := range []struct {
		args []string
		want movedImage
	}{
		{[]string{"push", archive}, movedImage{"registry.leme/hello:1.0", digest.String()}},
		{[]string{"copy", "hello:1.0", "hello:2.0"}, movedImage{"registry.leme/hello:2.0", digest.String()}},
		{[]string{"rm", "hello:2.0"}, movedImage{"registry.leme/hello:2.0", ""}},
	} {
		out, err := run(append(c.args, "-o", "json")...)
		noError(t, err)
		var got images
		noError(t, json.Unmarshal([]byte(out), &got))
		if len(got.Images) != 1 || got.Images[0] != c.want {
			t.Errorf("leme image %s: %s, want %+v", c.args[0], out, c.want)
		}
	}
	if out, err := run("rm", "none:1", "hello:1.0", "-o", "name"); err == nil || out != "registry.leme/hello:1.0\n" {
		t.Errorf("removing one that is there and one that is not: %q, %v", out, err)
	}
	if out, err := run("rm", "none:1", "--ignore-not-found"); err != nil || out != "" {
		t.Errorf("removing one that is not there: %q, %v", out, err)
	}
}
