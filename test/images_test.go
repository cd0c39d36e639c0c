package test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	corev1 "k8s.io/api/core/v1"
)

// image makes a pod's container one of this image, pulled by this policy.
func image(ref string, policy corev1.PullPolicy) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.Containers[0].Image, p.Spec.Containers[0].ImagePullPolicy = ref, policy
	}
}

// The label of the images that a run of these tests makes: they go with the cluster, once no pod runs them.
const imagesLabel = "leme.test"

var imagesOfThisRun = fmt.Sprintf("images-%d", os.Getpid())

func removeImages() error {
	ids, err := exec.Command("docker", "image", "ls", "-q", "--filter", "label="+imagesLabel+"="+imagesOfThisRun).Output()
	if err != nil || len(ids) == 0 {
		return err
	}
	return exec.Command("docker", append([]string{"image", "rm", "-f"}, strings.Fields(string(ids))...)...).Run()
}

// freshTool is the test program's image with a label that makes it this test's own: no engine has it.
func freshTool(t testing.TB) v1.Image {
	t.Helper()
	img, err := toolImage()
	must(t, err)
	file, err := img.ConfigFile()
	must(t, err)
	file = file.DeepCopy()
	file.Created = v1.Time{Time: time.Now()}
	file.Config.Labels = map[string]string{imagesLabel: imagesOfThisRun}
	img, err = mutate.ConfigFile(img, file)
	must(t, err)
	return img
}

func waits(reason string) func(*corev1.Pod) bool {
	return func(p *corev1.Pod) bool { return waiting(p, "c") == reason }
}

// TestImages puts an image into the cluster's registry in every way, and runs it by every policy.
func TestImages(t *testing.T) {
	t.Parallel()
	s := sharedSpace(t)
	repository := fmt.Sprintf("%s-%d", s.namespace, os.Getpid()) // what a run that was killed left must not be taken for ours
	img := freshTool(t)
	digest, err := img.Digest()
	must(t, err)

	dir := filepath.Join(t.TempDir(), "layout")
	l, err := layout.Write(dir, empty.Index)
	must(t, err)
	must(t, l.AppendImage(img))
	missing := "registry.leme/" + repository + ":1"
	s.run(t, s.tool(t, "never", "stay", image(missing, corev1.PullNever)))
	s.run(t, s.tool(t, "waits", "stay", image(missing, corev1.PullIfNotPresent)))
	s.until(t, "never", "refused", waits("ErrImageNeverPull"))
	s.until(t, "waits", "backing off", waits("ImagePullBackOff"))
	s.told(t, "waits", "Failed to pull image \""+missing+"\": pulling "+missing+": registry.leme: MANIFEST_UNKNOWN: ")
	s.told(t, "waits", "Back-off pulling image")

	if out := s.must(t, "image", "push", dir, repository+":1"); !strings.Contains(out, digest.String()) {
		t.Errorf("pushed as %s: %s", digest, out)
	}
	p := s.until(t, "waits", "ready", isReady)
	if want := "registry.leme/" + repository + "@" + digest.String(); state(p, "c").ImageID != want {
		t.Errorf("its image ID is %s, want %s", state(p, "c").ImageID, want)
	}
	for name, policy := range map[string]corev1.PullPolicy{"always": corev1.PullAlways, "if-not-present": corev1.PullIfNotPresent} {
		s.ready(t, s.tool(t, name, "stay", image(missing, policy)))
	}
	s.told(t, "always", "Successfully pulled image")
	s.told(t, "if-not-present", "already present on machine")
	s.ready(t, s.tool(t, "digest", "stay", image("registry.leme/"+repository+"@"+digest.String(), corev1.PullIfNotPresent)))

	t.Run("of the local Docker", func(t *testing.T) {
		s.must(t, "image", "push", missing, repository+":2")
		s.ready(t, s.tool(t, "second", "stay", image("registry.leme/"+repository+":2", corev1.PullAlways)))
	})
	t.Run("seen and removed", func(t *testing.T) {
		if out := s.must(t, "image", "tags", repository); out != "1\n2\n" {
			t.Errorf("its tags are %q", out)
		}
		if out := s.must(t, "image", "inspect", repository+":1"); !strings.Contains(out, digest.String()) || !strings.Contains(out, imagesLabel+": "+imagesOfThisRun) {
			t.Error(out)
		}
		s.must(t, "image", "rm", repository+":1")
		out := s.must(t, "image", "ls")
		for line := range strings.Lines(out) {
			if f := strings.Fields(line); f[0] == repository && (f[1] != "2" || !strings.HasSuffix(f[len(f)-1], "s")) {
				t.Errorf("after removing tag 1, with an age of seconds: %s", line)
			}
		}
		if !strings.Contains(out, repository) {
			t.Error(out)
		}
	})
}

// foreign is a registry of another's on a loopback address: what handle does comes before it.
func foreign(t *testing.T, handle func(w http.ResponseWriter, r *http.Request, next http.Handler)) (host string) {
	t.Helper()
	images := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handle(w, r, images) }))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// TestPullSecrets pulls from a registry that wants a password.
func TestPullSecrets(t *testing.T) {
	t.Parallel()
	s := sharedSpace(t)
	host := foreign(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if user, password, _ := r.BasicAuth(); user != "ada" || password != "sesame" {
			w.Header().Set("WWW-Authenticate", `Basic realm="here"`)
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"errors":[{"code":"UNAUTHORIZED","message":"members only"}]}`)
			return
		}
		next.ServeHTTP(w, r)
	})
	ref, err := name.ParseReference(host + "/private/tool:1")
	must(t, err)
	must(t, remote.Write(ref, freshTool(t), remote.WithAuth(&authn.Basic{Username: "ada", Password: "sesame"})))

	s.run(t, s.tool(t, "outside", "stay", image(ref.String(), corev1.PullAlways)))
	s.until(t, "outside", "backing off", waits("ImagePullBackOff"))
	s.told(t, "outside", "Failed to pull image \""+ref.String()+"\": pulling "+ref.String()+": "+host+": UNAUTHORIZED: members only")
	s.mustKubectl(t, "create", "secret", "docker-registry", "member", "-n", s.namespace,
		"--docker-server="+host, "--docker-username=ada", "--docker-password=sesame")
	s.ready(t, s.tool(t, "inside", "stay", image(ref.String(), corev1.PullAlways), func(p *corev1.Pod) {
		p.Spec.ImagePullSecrets = []corev1.LocalObjectReference{{Name: "none"}, {Name: "member"}}
	}))
	s.told(t, "inside", "FailedToRetrieveImagePullSecret: ")
}

// trickle sends little by little, until the client leaves.
type trickle struct {
	http.ResponseWriter
	request *http.Request
}

func (w trickle) Write(p []byte) (n int, err error) {
	const piece, pause = 4 << 10, 50 * time.Millisecond
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for len(p) > 0 && err == nil {
		select {
		case <-w.request.Context().Done():
			return n, w.request.Context().Err()
		case <-tick.C:
		}
		var sent int
		sent, err = w.ResponseWriter.Write(p[:min(piece, len(p))])
		n, p = n+sent, p[sent:]
	}
	return n, err
}

// TestSlowPull follows a pull that takes long in the pod's events, and deletes the pod meanwhile.
func TestSlowPull(t *testing.T) {
	t.Parallel()
	s := sharedSpace(t)
	host := foreign(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") {
			w = trickle{w, r}
		}
		next.ServeHTTP(w, r)
	})
	ref, err := name.ParseReference(host + "/big:1")
	must(t, err)
	big, err := random.Image(32<<20, 1)
	must(t, err)
	file, err := big.ConfigFile()
	must(t, err)
	file = file.DeepCopy()
	file.OS, file.Architecture = "linux", runtime.GOARCH
	big, err = mutate.ConfigFile(big, file)
	must(t, err)
	must(t, remote.Write(ref, big))
	s.run(t, s.tool(t, "slow", "stay", image(ref.String(), corev1.PullIfNotPresent)))
	s.told(t, "slow", "Pulling: Pulling image \""+ref.String()+"\": ")
	begin := time.Now()
	s.delete(t, "slow")
	if took := time.Since(begin); took > 20*time.Second {
		t.Errorf("deleting it took %s", took)
	}
	eventually(t, "no container of it", func() bool { return len(runningContainers(t, s.cluster, "slow")) == 0 })
}
