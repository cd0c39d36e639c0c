package docker_test

import (
	"path/filepath"
	"testing"

	"leme/nodeagent/docker/dockertest"
)

// TestStored: what a container writes into its own file system and into its log is measured, by the agent as by the
// engine; and which images are in use.
func TestStored(t *testing.T) {
	t.Parallel()
	n := dockertest.New(t)
	id := n.Run(t, n.Pod("writer", "write", "3000000", "/tmp/blob"))
	dockertest.Eventually(t, func() bool {
		layer, log, err := n.Stored(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return layer.Bytes >= 3000000 && layer.Bytes < 4000000 && layer.Inodes >= 2 && log.Bytes > 0 && log.Inodes == 1
	})
	root, err := n.StorageRoot(t.Context())
	if err != nil || !filepath.IsAbs(root) {
		t.Errorf("images are at %q, %v", root, err)
	}
	used, err := n.ImagesInUse(t.Context())
	if err != nil || !used[n.Image.ID] {
		t.Errorf("the image is not in use: %v, %v", used, err)
	}
}
