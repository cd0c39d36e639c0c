package registry

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/opencontainers/go-digest"
	"golang.org/x/sys/unix"
)

// holdUp makes whoever reads content wait until it is let go on.
func holdUp(t *testing.T, r *Registry, img v1.Image) (goOn func()) {
	t.Helper()
	d, err := img.Digest()
	must(t, err)
	path := r.contentPath(digest.Digest(d.String()))
	data, err := os.ReadFile(path)
	must(t, err)
	must(t, os.Remove(path))
	must(t, unix.Mkfifo(path, 0o600))
	return func() {
		w, err := os.OpenFile(path, os.O_WRONLY, 0) // blocks until somebody reads
		must(t, err)
		must(t, os.Remove(path))
		must(t, os.WriteFile(path, data, 0o600))
		_, err = w.Write(data)
		must(t, err)
		must(t, w.Close())
	}
}

// TestPushesWhileItLooks: who pushes, mounts and deletes while the collector looks around does not wait for it, and what
// came meanwhile stays: in a repository that was looked at before, in one that was not, and content that was garbage.
func TestPushesWhileItLooks(t *testing.T) {
	dir := t.TempDir()
	r, host := serve(t, Config{Dir: dir, Grace: time.Nanosecond, UntaggedAge: time.Nanosecond})
	old, slow, revived := image(t, 2), image(t, 1), image(t, 2)
	must(t, remote.Write(ref(t, "%s/a:old", host), old))
	must(t, remote.Write(ref(t, "%s/m:slow", host), slow))
	must(t, remote.Write(ref(t, "%s/z:1", host), revived))
	must(t, r.DeleteTag(t.Context(), "z", "1"))
	goOn := holdUp(t, r, slow)
	ended := make(chan error, 1)
	go func() {
		_, err := r.GC(t.Context(), Rules{Untagged: 0})
		ended <- err
	}()
	fresh := image(t, 2)
	for _, at := range []string{"a:new", "new:1"} {
		must(t, remote.Write(ref(t, "%s/%s", host, at), fresh)) // while the collector waits for what is in m
	}
	must(t, remote.Write(ref(t, "%s/a:revived", host), revived))
	must(t, remote.Delete(ref(t, "%s/a:old", host)))
	select {
	case err := <-ended:
		t.Fatalf("the collector has not waited: %v", err)
	default:
	}
	goOn()
	must(t, <-ended)
	for at, want := range map[string]v1.Image{"a:new": fresh, "new:1": fresh, "a:revived": revived, "m:slow": slow} {
		img, err := remote.Image(ref(t, "%s/%s", host, at))
		must(t, err)
		must(t, validate.Image(img))
		got, err := img.Digest()
		must(t, err)
		if digest, _ := want.Digest(); got != digest {
			t.Errorf("%s is %s", at, got)
		}
	}
	must(t, collectAll(r))
	var sum int64
	must(t, filepath.Walk(filepath.Join(dir, "blobs"), func(_ string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			sum += info.Size()
		}
		return err
	}))
	if stored := r.usage.stored.Load(); stored != sum {
		t.Errorf("%d bytes are counted, there are %d", stored, sum)
	}
}
