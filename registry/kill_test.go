package registry

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
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
		left, _ := names(filepath.Join(dir, "uploads"))
		for _, name := range left { // uploads that can be gone on with, and nothing else
			if id := strings.TrimSuffix(name, uploadOf); !slices.Contains(left, id) || !slices.Contains(left, id+uploadOf) {
				t.Errorf("round %d: left behind: %q", round, name)
			}
		}
		again := ref(t, "%s/x:r%d", host, round)
		if pushErr != nil {
			must(t, remote.Write(again, img))
		}
		checkEverything(t, again.Context())
	}
}

// slowly gives what it is told to give, and blocks until more is.
type slowly struct{ parts chan []byte }

func (s slowly) Read(p []byte) (int, error) {
	part, ok := <-s.parts
	if !ok {
		return 0, io.EOF
	}
	return copy(p, part), nil
}

// TestKillInUpload kills the server with SIGKILL in the middle of a chunk. The next one has the upload as far as it had come,
// to the byte, and takes the rest; what nobody could go on with is gone.
func TestKillInUpload(t *testing.T) {
	dir, content := t.TempDir(), make([]byte, 300_000)
	_, _ = rand.NewChaCha8([32]byte{7}).Read(content) // never fails
	child, host := startChild(t, dir)
	header := wantStatus(t, request(t, "POST", "http://"+host+"/v2/a/b/blobs/uploads/", nil), 202, "")
	wantStatus(t, request(t, "PATCH", "http://"+host+header.Get("Location"), content[:1000], "Content-Range", "0-999"), 202, "")
	for _, path := range []string{header.Get("Location"), "/v2/a/b/blobs/uploads/?digest=" + digest.FromBytes(content).String()} {
		method := map[bool]string{true: "POST", false: "PATCH"}[strings.Contains(path, "digest=")]
		body := slowly{make(chan []byte, 1)}
		req, err := http.NewRequest(method, "http://"+host+path, body)
		must(t, err)
		go func() {
			if answer, err := http.DefaultClient.Do(req); err == nil {
				answer.Body.Close()
			}
		}()
		body.parts <- content[1000:8000]
		defer close(body.parts)
	}
	uploaded := filepath.Join(dir, "uploads", filepath.Base(header.Get("Location")))
	for deadline := time.Now().Add(10 * time.Second); ; {
		info, err := os.Stat(uploaded)
		must(t, err)
		left, err := names(filepath.Join(dir, "uploads"))
		must(t, err)
		if info.Size() == 8000 && len(left) == 3 { // and the blob that comes in one request
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d bytes have come: %q", info.Size(), left)
		}
		runtime.Gosched()
	}
	must(t, child.Process.Kill())
	_ = child.Wait()

	_, host = startChild(t, dir)
	if left, _ := names(filepath.Join(dir, "uploads")); len(left) != 2 {
		t.Errorf("left behind: %q", left)
	}
	at := "http://" + host + header.Get("Location")
	if got := wantStatus(t, request(t, "GET", at, nil), 204, "").Get("Range"); got != "0-7999" {
		t.Errorf("the upload has %s", got)
	}
	wantStatus(t, request(t, "GET", strings.Replace(at, "/a/b/", "/a/c/", 1), nil), 404, "BLOB_UPLOAD_UNKNOWN")
	wantStatus(t, request(t, "PATCH", at, content[7000:], "Content-Range", fmt.Sprintf("7000-%d", len(content)-1)), 416, "")
	wantStatus(t, request(t, "PATCH", at, content[8000:], "Content-Range", fmt.Sprintf("8000-%d", len(content)-1)), 202, "")
	d := digest.FromBytes(content)
	wantStatus(t, request(t, "PUT", at+"?digest="+d.String(), nil), 201, "")
	wantStatus(t, request(t, "GET", "http://"+host+"/v2/a/b/blobs/"+d.String(), nil), 200, string(content))
	if left, _ := names(filepath.Join(dir, "uploads")); len(left) != 0 {
		t.Errorf("left behind: %q", left)
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
