package command

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
)

// imageCluster is a server that has nothing but a registry; run runs `leme image` against it.
func imageCluster(t *testing.T) (run func(args ...string) (out string, err error)) {
	s := httptest.NewTLSServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(s.Close)
	insecure := true
	flags := genericclioptions.NewConfigFlags(true)
	flags.APIServer, flags.Insecure = &s.URL, &insecure
	return func(args ...string) (string, error) {
		streams, _, out, _ := genericiooptions.NewTestIOStreams()
		c := NewCmdImage(cmdutil.NewFactory(flags), streams)
		c.SetArgs(args)
		c.SilenceErrors, c.SilenceUsage = true, true
		err := c.ExecuteContext(t.Context())
		return out.String(), err
	}
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// testArchive writes an image as docker save does.
func testArchive(t *testing.T, path, tag string, img v1.Image) string {
	t.Helper()
	ref, err := name.NewTag(tag)
	noError(t, err)
	noError(t, tarball.WriteToFile(path, ref, img))
	return path
}

// testLayout writes images as an OCI layout.
func testLayout(t *testing.T, dir string, images ...v1.Image) string {
	t.Helper()
	p, err := layout.Write(dir, empty.Index)
	noError(t, err)
	for _, img := range images {
		noError(t, p.AppendImage(img))
	}
	return dir
}

// pack makes a tar of a directory.
func pack(t *testing.T, dir string) string {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	noError(t, w.AddFS(os.DirFS(dir)))
	noError(t, w.Close())
	path := filepath.Join(t.TempDir(), "layout.tar")
	noError(t, os.WriteFile(path, buf.Bytes(), 0o600))
	return path
}

func TestImagePush(t *testing.T) {
	img, err := random.Image(1000, 2)
	noError(t, err)
	other, err := random.Image(1000, 1)
	noError(t, err)
	dir := t.TempDir()
	archive := testArchive(t, filepath.Join(dir, "a.tar"), "registry.leme/hello:1.0", img)
	oci := testLayout(t, filepath.Join(dir, "layout"), img)
	both := testLayout(t, filepath.Join(dir, "both"), img, other)
	noError(t, os.WriteFile(filepath.Join(dir, "text"), []byte("no archive"), 0o600))
	for _, c := range []struct {
		name   string
		args   []string
		pushed string // as ls -o name prints
		fails  string // part of the error
	}{
		{"an archive under its own name", []string{archive}, "registry.leme/hello:1.0\n", ""},
		{"an archive under another", []string{archive, "team/web:2"}, "registry.leme/team/web:2\n", ""},
		{"the registry's name in full", []string{archive, "registry.leme/a"}, "registry.leme/a:latest\n", ""},
		{"a layout", []string{oci, "x:1"}, "registry.leme/x:1\n", ""},
		{"a layout in a tar", []string{pack(t, oci), "x:1"}, "registry.leme/x:1\n", ""},
		{"a layout of several images", []string{both, "x:all"}, "registry.leme/x:all\n", ""},
		{"a layout without a name", []string{oci}, "", "add one: leme image push"},
		{"another registry", []string{archive, "docker.io/x:1"}, "", "is in another registry"},
		{"no archive", []string{filepath.Join(dir, "text"), "x"}, "", "is no image archive"},
		{"neither file nor name", []string{filepath.Join(dir, "None")}, "", "is no file here"},
	} {
		t.Run(c.name, func(t *testing.T) {
			run := imageCluster(t)
			_, err := run(append([]string{"push"}, c.args...)...)
			if c.fails != "" {
				if err == nil || !strings.Contains(err.Error(), c.fails) {
					t.Fatalf("error %v, want one with %q", err, c.fails)
				}
				return
			}
			noError(t, err)
			got, err := run("ls", "-o", "name")
			noError(t, err)
			if got != c.pushed {
				t.Errorf("there is %q, want %q", got, c.pushed)
			}
		})
	}
}

func TestImageListInspectRemove(t *testing.T) {
	run := imageCluster(t)
	img, err := random.Image(1000, 1)
	noError(t, err)
	img, err = mutate.ConfigFile(img, &v1.ConfigFile{OS: "linux", Architecture: "amd64", RootFS: rootFS(t, img), Config: v1.Config{Cmd: []string{"/hello"}}})
	noError(t, err)
	archive := testArchive(t, filepath.Join(t.TempDir(), "a.tar"), "hello:1.0", img)
	for _, n := range []string{"hello:1.0", "hello:1.1"} {
		_, err := run("push", archive, n)
		noError(t, err)
	}
	for _, c := range []struct {
		args []string
		want string // part of the output, or of the error
	}{
		{[]string{"ls"}, "REPOSITORY   TAG   SIZE"},
		{[]string{"ls", "-o", "wide"}, "linux/amd64"},
		{[]string{"ls", "hello", "-o", "json"}, `"name": "registry.leme/hello:1.1"`},
		{[]string{"ls", "-o", "xml"}, "--output must be one of"},
		{[]string{"tags", "hello"}, "1.0\n1.1\n"},
		{[]string{"tags", "none"}, "none: not in the cluster's registry"},
		{[]string{"inspect", "hello:1.0"}, "- /hello"},
		{[]string{"inspect", "hello:3"}, "hello:3: not in the cluster's registry"},
		{[]string{"rm", "hello:1.0"}, "registry.leme/hello:1.0 removed"},
		{[]string{"inspect", "hello:1.0"}, "not in the cluster's registry"},
		{[]string{"inspect", "hello:1.1"}, "mediaType"},
		{[]string{"rm", "hello:1.0"}, "not in the cluster's registry"},
	} {
		out, err := run(c.args...)
		if err != nil {
			out = err.Error()
		}
		if !strings.Contains(out, c.want) {
			t.Errorf("leme image %s: %q, want %q in it", strings.Join(c.args, " "), out, c.want)
		}
	}
}

func rootFS(t *testing.T, img v1.Image) v1.RootFS {
	t.Helper()
	c, err := img.ConfigFile()
	noError(t, err)
	return c.RootFS
}

func TestImagePushCancelled(t *testing.T) {
	img, err := random.Image(1000, 1)
	noError(t, err)
	archive := testArchive(t, filepath.Join(t.TempDir(), "a.tar"), "hello:1.0", img)
	s := httptest.NewTLSServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer s.Close()
	insecure := true
	flags := genericclioptions.NewConfigFlags(true)
	flags.APIServer, flags.Insecure = &s.URL, &insecure
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = imagePush{f: cmdutil.NewFactory(flags), streams: genericiooptions.NewTestIOStreamsDiscard(), source: archive}.run(ctx)
	if err == nil || !strings.Contains(err.Error(), "context canceled") {
		t.Errorf("error %v, want a cancelled context", err)
	}
}

func TestProgressLine(t *testing.T) {
	for _, c := range []struct {
		done, total int64
		width       int
		want        string
	}{
		{0, 0, 80, "Pushing [                        ] 0 B / 0 B"},
		{5_000_000, 10_000_000, 80, "Pushing [============            ] 5.0 MB / 10.0 MB"},
		{999_999, 1_000_000, 80, "Pushing [======================= ] 1.0 MB / 1.0 MB"},
		{5_000, 10_000, 20, "Pushing 5.0 kB / 10"},
		{5_000, 10_000, 1, ""},
	} {
		if got := progressLine("Pushing", c.done, c.total, c.width); got != c.want {
			t.Errorf("%d of %d in %d columns: %q, want %q", c.done, c.total, c.width, got, c.want)
		}
	}
}

func TestPrintImages(t *testing.T) {
	now := time.Date(2030, 1, 2, 0, 0, 0, 0, time.UTC)
	created := now.Add(-3 * time.Hour)
	var out bytes.Buffer
	noError(t, printImages(&out, []imageInfo{
		{Name: "registry.leme/hello:1.0", Size: 2_300_000},
		{Name: "registry.leme/team/web:2", Size: 900, Created: &created},
	}, false, now))
	const want = `REPOSITORY   TAG   SIZE     AGE
hello        1.0   2.3 MB   -
team/web     2     900 B    3h
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &out, want)
	}
}
