package registry

import (
	"context"
	"errors"
	"fmt"
	"math/rand"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// liveUntilStep pushes, moves a tag, deletes and collects, and kills itself at one of the changes on disk.
func liveUntilStep(dir, at string) {
	last, err := strconv.Atoi(at)
	if err != nil {
		panic(err)
	}
	r, err := New(Config{Dir: dir, UntaggedAge: time.Nanosecond, Grace: time.Nanosecond})
	if err != nil {
		panic(err)
	}
	steps := 0 // changes are made one at a time: pushes have one job
	r.step = func() {
		if steps++; steps == last {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // until it arrives
		}
	}
	if err := live(r); err != nil {
		panic(err)
	}
	fmt.Println(steps)
}

func live(r *Registry) error {
	s := httptest.NewServer(r)
	defer s.Close()
	repo, err := name.NewRepository(strings.TrimPrefix(s.URL, "http://") + "/a/x")
	if err != nil {
		return err
	}
	first, second := seeded(1), seeded(2)
	index := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: second})
	d, err := second.Digest()
	if err != nil {
		return err
	}
	signature := mutate.Subject(seeded(3), v1.Descriptor{Digest: d, MediaType: "application/vnd.oci.image.manifest.v1+json"}).(v1.Image)
	return errors.Join(
		remote.Write(repo.Tag("moved"), first, remote.WithJobs(1)),
		remote.Write(repo.Tag("signature"), signature, remote.WithJobs(1)),
		remote.WriteIndex(repo.Tag("moved"), index, remote.WithJobs(1)),
		collectAll(r),
		remote.Delete(repo.Tag("moved")),
		collectAll(r),
		remote.Write(repo.Tag("again"), first, remote.WithJobs(1)),
	)
}

func collectAll(r *Registry) error {
	_, err := r.GC(context.Background(), r.Rules())
	return err
}

// seeded is the same image each time.
func seeded(seed int64) v1.Image {
	img, err := random.Image(1000, 2, random.WithSource(rand.NewSource(seed)))
	if err != nil {
		panic(err)
	}
	return img
}

// TestKillAtEveryStep ends a registry with SIGKILL at each of its changes on disk, one after the other. What is there each
// time must be whole, and go on working.
func TestKillAtEveryStep(t *testing.T) {
	const never = 0
	whole := t.TempDir()
	out, err := liveInChild(whole, never)
	must(t, err)
	steps, err := strconv.Atoi(strings.TrimSpace(string(out)))
	must(t, err)
	checkWhole(t, whole)
	for step := 1; step <= steps; step++ {
		t.Run(strconv.Itoa(step), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			out, err := liveInChild(dir, step)
			var ended *exec.ExitError
			if !errors.As(err, &ended) || ended.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
				t.Fatalf("%v, want it killed\n%s", err, out)
			}
			checkWhole(t, dir)
		})
	}
}

func liveInChild(dir string, last int) ([]byte, error) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir, childStep+"="+strconv.Itoa(last))
	return cmd.CombinedOutput()
}

// checkWhole opens a registry after a kill: whatever a tag leads to can be pulled, pushes work, and a collection leaves
// what is in use and nothing else.
func checkWhole(t *testing.T, dir string) {
	t.Helper()
	checkContent(t, dir)
	r, host := serve(t, Config{Dir: dir, UntaggedAge: time.Nanosecond, Grace: time.Nanosecond, UploadAge: time.Nanosecond})
	repo, err := name.NewRepository(host + "/a/x")
	must(t, err)
	must(t, remote.Write(repo.Tag("mine"), seeded(1)))
	for range 2 {
		checkEverything(t, repo)
		must(t, collectAll(r))
	}
	checkEverything(t, repo)
	state, err := r.observe("a/x")
	must(t, err)
	for d := range state.blobs {
		if _, used := state.user(d); !used {
			t.Errorf("blob %s is left behind", d)
		}
	}
	if left, _ := names(filepath.Join(dir, "uploads")); len(left) != 0 {
		t.Errorf("uploads left behind: %q", left)
	}
}

// checkEverything pulls whatever a tag leads to, images and indexes.
func checkEverything(t *testing.T, repo name.Repository) {
	t.Helper()
	tags, err := remote.List(repo)
	must(t, err)
	for _, tag := range tags {
		desc, err := remote.Get(repo.Tag(tag))
		must(t, err)
		if desc.MediaType.IsIndex() {
			index, err := desc.ImageIndex()
			must(t, err)
			must(t, validate.Index(index))
			continue
		}
		img, err := desc.Image()
		must(t, err)
		must(t, validate.Image(img))
	}
}
