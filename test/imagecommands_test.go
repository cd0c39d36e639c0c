package test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestImageBuild builds on the engine over a base of the cluster's registry, pushes, and runs what was built.
func TestImageBuild(t *testing.T) {
	t.Parallel()
	s := sharedSpace(t)
	dir := t.TempDir()
	base := strings.TrimPrefix(s.mustTool(t), "registry.leme/")
	mine := s.namespace + "/built"
	write := func(name, content string) {
		t.Helper()
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	s.must(t, "image", "copy", base, s.namespace+"/base:1") // which the engine does not know by this name
	write("Dockerfile", "FROM registry.leme/"+s.namespace+"/base:1 AS first\nARG GREETING=none\nENV GREETING=$GREETING\nCOPY . /context/\n"+
		"LABEL "+imagesLabel+"="+imagesOfThisRun+"\nFROM first\nENV LAST=yes\n")
	write(".dockerignore", "*.log\n")
	write("kept", "kept")
	write("left.log", "left out")
	must(t, os.Symlink("kept", filepath.Join(dir, "link")))
	defer func() {
		for _, name := range []string{"/built:1", "/built:2", "/base:1"} {
			_ = exec.Command("docker", "image", "rm", "-f", "registry.leme/"+s.namespace+name).Run()
		}
	}()
	out := s.must(t, "image", "build", dir, "-t", mine+":1", "-t", mine+":2", "--build-arg", "GREETING=hello", "--no-cache", "-o", "json")
	var built struct {
		Images []struct{ Name, Digest string }
	}
	must(t, json.Unmarshal([]byte(out), &built))
	if len(built.Images) != 2 || built.Images[0].Name != "registry.leme/"+mine+":1" || built.Images[0].Digest != built.Images[1].Digest {
		t.Errorf("built %s", out)
	}
	var inspected struct{ Config struct{ Env []string } }
	must(t, json.Unmarshal([]byte(s.must(t, "image", "inspect", mine+":1", "-o", "json")), &inspected))
	if env := fmt.Sprint(inspected.Config.Env); !strings.Contains(env, "GREETING=hello") || !strings.Contains(env, "LAST=yes") {
		t.Errorf("its environment is %s", env)
	}
	s.ready(t, s.tool(t, "built", "stay", image("registry.leme/"+mine+"@"+built.Images[0].Digest, "")))

	s.must(t, "image", "build", dir, "-t", mine+":first", "--target", "first", "--push=false", "-q")
	removesImage(t, "registry.leme/"+mine+":first")
	if tags := s.must(t, "image", "tags", mine); tags != "1\n2\n" {
		t.Errorf("tags %q, want those that were pushed", tags)
	}
	write("Dockerfile", "FROM scratch\nCOPY left.log /\n")
	for want, args := range map[string][]string{
		"left.log":                   {dir, "-t", mine + ":3"},
		"say what to call the image": {dir},
		"the Dockerfile: ":           {dir, "-t", mine + ":3", "-f", filepath.Join(dir, "none")},
	} {
		if out, err := s.command(t.Context(), append([]string{"image", "build"}, args...)...).CombinedOutput(); err == nil || !strings.Contains(string(out), want) {
			t.Errorf("building %v: %v, %s, want %q", args, err, out, want)
		}
	}
}

// TestImageMoves brings an image out of the cluster and back, over the engine and over files, and removes it.
func TestImageMoves(t *testing.T) {
	t.Parallel()
	s := sharedSpace(t)
	img := freshTool(t)
	digest, err := img.Digest()
	must(t, err)
	pushed, err := s.push(s.namespace, img)
	must(t, err)
	dir := t.TempDir()
	name := s.namespace + "/moved"
	local := "registry.leme/" + name + ":engine"
	s.must(t, "image", "copy", pushed, name+":1")
	s.must(t, "image", "copy", pushed, "docker://"+local)
	removesImage(t, local)
	s.must(t, "image", "pull", pushed, filepath.Join(dir, "archive.tar"))
	s.must(t, "image", "copy", pushed, "oci-archive:"+filepath.Join(dir, "layout.tar"))
	for tag, source := range map[string]string{
		"2": "docker://" + local, "3": filepath.Join(dir, "archive.tar"), "4": filepath.Join(dir, "layout.tar"),
	} {
		if out := s.must(t, "image", "push", source, name+":"+tag, "-q"); !strings.Contains(out, digest.String()) {
			t.Errorf("%s came back as %s", source, out)
		}
	}
	s.must(t, "image", "rm", name+":1", name+":2", name+":3", name+":4")
	if out, err := s.command(t.Context(), "image", "tags", name).CombinedOutput(); err == nil {
		t.Errorf("after all was removed there is %s", out)
	}
	var got struct{ Blobs, Manifests, Uploads, Bytes *int }
	must(t, json.Unmarshal([]byte(s.must(t, "image", "gc", "--dry-run", "-o", "json")), &got))
	if got.Blobs == nil || got.Bytes == nil {
		t.Error("gc tells nothing")
	}
	if out := s.must(t, "image", "gc"); !strings.HasPrefix(out, "freed ") {
		t.Error(out)
	}
}
