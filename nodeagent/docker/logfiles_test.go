package docker_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/moby/client"
	corev1 "k8s.io/api/core/v1"

	"leme/nodeagent/docker"
	"leme/nodeagent/docker/dockertest"
)

func TestParseLogFiles(t *testing.T) {
	for _, c := range []struct {
		size  string
		files int
		want  string
	}{
		{"10Mi", 5, "{10485760 5}"},
		{"1k", 2, "{1000 2}"},
		{"much", 5, `the maximum size of container logs, "much"`},
		{"0", 5, "the maximum size of container logs must be positive: 0"},
		{"10Mi", 1, "container logs must have two files or more"},
	} {
		files, err := docker.ParseLogFiles(c.size, c.files)
		got := fmt.Sprint(files)
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, c.want) {
			t.Errorf("%s %d: %s", c.size, c.files, got)
		}
	}
}

// TestRotation: a log that is followed goes on, with no line lost and none twice, while the engine rotates its files; what
// is kept of it stays within its bounds, and can be read.
func TestRotation(t *testing.T) {
	t.Parallel()
	n := dockertest.New(t)
	files, err := docker.ParseLogFiles("16Ki", 3)
	if err != nil {
		t.Fatal(err)
	}
	n.Log = files
	const lines = 1500 // of some 70 bytes each on disk: twice as many as are kept
	id := n.Run(t, n.Pod("talks", "count", fmt.Sprint(lines)))
	var followed bytes.Buffer
	if err := n.Logs(t.Context(), id, corev1.PodLogOptions{Follow: true}, &followed, &followed); err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for i := range lines {
		fmt.Fprintln(&want, "line", i)
	}
	if followed.String() != want.String() {
		t.Errorf("followed %d bytes, not %d: %s", followed.Len(), want.Len(), firstDifference(followed.String(), want.String()))
	}
	kept := keptFiles(t, n, id)
	if len(kept) != 3 {
		t.Errorf("files of the log: %v", kept)
	}
	if _, log, err := n.Stored(t.Context(), id); err != nil || log.Inodes != 3 || log.Bytes > 3*24<<10 {
		t.Errorf("the log takes %+v, %v", log, err)
	}
	var rest bytes.Buffer
	if err := n.Logs(t.Context(), id, corev1.PodLogOptions{}, &rest, &rest); err != nil {
		t.Fatal(err)
	}
	if rest.Len() == 0 || rest.Len() >= want.Len() || !strings.HasSuffix(want.String(), rest.String()) {
		t.Errorf("%d bytes of %d are kept, which are not its end", rest.Len(), want.Len())
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("%q in place of %q", g[i], w[i])
		}
	}
	return fmt.Sprintf("%d lines, not %d", len(g), len(w))
}

func keptFiles(t *testing.T, n *dockertest.Node, id string) []string {
	t.Helper()
	c, err := n.Engine.ContainerInspect(t.Context(), id, client.ContainerInspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(c.Container.LogPath + "*")
	if err != nil {
		t.Fatal(err)
	}
	return files
}
