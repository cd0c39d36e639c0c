package registry

import (
	"bufio"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/opencontainers/go-digest"
)

// childDir in the environment makes the test binary a registry server in that directory, for TestKill.
const childDir = "LEME_REGISTRY_TEST_DIR"

// childStep in the environment makes the test binary a registry that lives a life of its own and ends at that step.
const childStep = "LEME_REGISTRY_TEST_STEP"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if at := os.Getenv(childStep); at != "" {
			liveUntilStep(dir, at)
			return
		}
		serveUntilKilled(dir)
	}
	m.Run()
}

func serveUntilKilled(dir string) {
	r, err := New(Config{Dir: dir})
	if err != nil {
		panic(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(l.Addr())
	panic(http.Serve(l, r))
}

// startChild runs a registry in a process of its own.
func startChild(t *testing.T, dir string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("the child did not say where it listens")
	}
	return cmd, lines.Text()
}

// TestKill kills the server with SIGKILL at another point of a push each time. What is there afterwards must be whole,
// the push must go through on a second try, and nothing half written may be left.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	for round := range 5 {
		child, host := startChild(t, dir)
		img, err := random.Image(1<<20, 4)
		must(t, err)
		updates := make(chan v1.Update, 1000)
		pushed := make(chan error, 1)
		tag := fmt.Sprintf("%s/x:r%d", host, round)
		go func() {
			pushed <- remote.Write(ref(t, "%s", tag), img, remote.WithProgress(updates), remote.WithJobs(2),
				remote.WithRetryBackoff(remote.Backoff{Duration: time.Millisecond, Factor: 1, Steps: 1}))
		}()
		for u := range updates {
			if u.Complete > int64(round)*800_000 {
				break
			}
		}
		must(t, child.Process.Kill())
		_ = child.Wait()
		go func() { // remote.Write blocks on its progress channel
			for range updates {
			}
		}()
		pushErr := <-pushed

		checkContent(t, dir)
		_, host = startChild(t, dir)
		if left, _ := names(filepath.Join(dir, "uploads")); len(left) != 0 {
			t.Errorf("round %d: uploads left behind: %q", round, left)
		}
		again := ref(t, "%s/x:r%d", host, round)
		if pushErr != nil {
			must(t, remote.Write(again, img))
		}
		checkEverything(t, again.Context())
	}
}

// checkContent compares everything under blobs/ with its name.
func checkContent(t *testing.T, dir string) {
	t.Helper()
	must(t, filepath.WalkDir(filepath.Join(dir, "blobs"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err == nil && digest.FromBytes(data).Encoded() != e.Name() {
			err = fmt.Errorf("%s is corrupt", path)
		}
		return err
	}))
}
