package registry

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/opencontainers/go-digest"
)

// serve opens a registry in dir and serves it; host is where.
func serve(t testing.TB, cfg Config) (r *Registry, host string) {
	t.Helper()
	r, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(r)
	t.Cleanup(s.Close)
	return r, strings.TrimPrefix(s.URL, "http://")
}

func ref(t testing.TB, format string, a ...any) name.Reference {
	t.Helper()
	r, err := name.ParseReference(fmt.Sprintf(format, a...))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func image(t testing.TB, layers int64) v1.Image {
	t.Helper()
	img, err := random.Image(10_000, layers)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantStatus does one request and compares the status and, where it is not empty, the error code.
func wantStatus(t *testing.T, req *http.Request, status int, code string) http.Header {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	body, err := io.ReadAll(resp.Body)
	must(t, err)
	resp.Body.Close()
	if resp.StatusCode != status || !strings.Contains(string(body), code) {
		t.Fatalf("%s %s: %s %s, want %d %s", req.Method, req.URL, resp.Status, body, status, code)
	}
	return resp.Header
}

func request(t *testing.T, method, url string, body []byte, header ...string) *http.Request {
	t.Helper()
	req, err := http.NewRequest(method, url, bytes.NewReader(body))
	must(t, err)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return req
}

func TestPushPullSurvivesRestart(t *testing.T) {
	dir := t.TempDir()
	_, host := serve(t, Config{Dir: dir})
	img := image(t, 3)
	must(t, remote.Write(ref(t, "%s/team/web:1.0", host), img))
	index := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: img})
	must(t, remote.WriteIndex(ref(t, "%s/team/web:multi", host), index))

	_, host = serve(t, Config{Dir: dir}) // the same directory, another process
	got, err := remote.Image(ref(t, "%s/team/web:1.0", host))
	must(t, err)
	must(t, validate.Image(got))
	want, _ := img.Digest()
	if d, _ := got.Digest(); d != want {
		t.Fatalf("digest %s, want %s", d, want)
	}
	gotIndex, err := remote.Index(ref(t, "%s/team/web:multi", host))
	must(t, err)
	must(t, validate.Index(gotIndex))
	_, err = remote.Image(ref(t, "%s/team/web@%s", host, want))
	must(t, err)
}

func TestTagsPageAndCatalog(t *testing.T) {
	_, host := serve(t, Config{Dir: t.TempDir()})
	img := image(t, 1)
	var want []string
	for i := range 7 {
		tag := fmt.Sprintf("v%d", i)
		want = append(want, tag)
		must(t, remote.Write(ref(t, "%s/a/b:%s", host, tag), img))
	}
	must(t, remote.Write(ref(t, "%s/a-b:x", host), img))
	repo, _ := name.NewRepository(host + "/a/b")
	got, err := remote.List(repo, remote.WithPageSize(3))
	must(t, err)
	if !slices.Equal(got, want) {
		t.Errorf("tags %q, want %q", got, want)
	}
	repos, err := remote.Catalog(context.Background(), repo.Registry)
	must(t, err)
	if !slices.Equal(repos, []string{"a-b", "a/b"}) {
		t.Errorf("catalog %q", repos)
	}
}

func TestDelete(t *testing.T) {
	_, host := serve(t, Config{Dir: t.TempDir()})
	img := image(t, 1)
	d, _ := img.Digest()
	for _, tag := range []string{"one", "two", "three"} {
		must(t, remote.Write(ref(t, "%s/x:%s", host, tag), img))
	}
	layers, _ := img.Layers()
	layer, _ := layers[0].Digest()
	blob := "http://" + host + "/v2/x/blobs/" + layer.String()

	wantStatus(t, request(t, "DELETE", blob, nil), 403, "DENIED") // in use
	must(t, remote.Delete(ref(t, "%s/x:one", host)))
	wantStatus(t, request(t, "GET", "http://"+host+"/v2/x/manifests/one", nil), 404, "MANIFEST_UNKNOWN")
	_, err := remote.Image(ref(t, "%s/x:two", host))
	must(t, err)
	must(t, remote.Delete(ref(t, "%s/x@%s", host, d)))
	wantStatus(t, request(t, "GET", "http://"+host+"/v2/x/manifests/two", nil), 404, "MANIFEST_UNKNOWN")
	wantStatus(t, request(t, "GET", "http://"+host+"/v2/x/tags/list", nil), 404, "NAME_UNKNOWN")
	wantStatus(t, request(t, "DELETE", blob, nil), 202, "")
	wantStatus(t, request(t, "GET", blob, nil), 404, "BLOB_UNKNOWN")
}

func TestMount(t *testing.T) {
	_, host := serve(t, Config{Dir: t.TempDir()})
	img := image(t, 1)
	must(t, remote.Write(ref(t, "%s/from:1", host), img))
	layers, _ := img.Layers()
	d, _ := layers[0].Digest()
	uploads := "http://" + host + "/v2/to/blobs/uploads/?from=from&mount="

	wantStatus(t, request(t, "GET", "http://"+host+"/v2/to/blobs/"+d.String(), nil), 404, "BLOB_UNKNOWN")
	wantStatus(t, request(t, "POST", uploads+d.String(), nil), 201, "")
	wantStatus(t, request(t, "GET", "http://"+host+"/v2/to/blobs/"+d.String(), nil), 200, "")
	header := wantStatus(t, request(t, "POST", uploads+string(digest.FromString("nowhere")), nil), 202, "")
	if header.Get("Location") == "" {
		t.Error("a mount that cannot be done starts no upload")
	}
}

func TestReferrers(t *testing.T) {
	_, host := serve(t, Config{Dir: t.TempDir()})
	img := image(t, 1)
	must(t, remote.Write(ref(t, "%s/x:1", host), img))
	d, _ := img.Digest()
	size, _ := img.Size()
	kind, _ := img.MediaType()
	signature := mutate.Subject(image(t, 1), v1.Descriptor{Digest: d, Size: size, MediaType: kind}).(v1.Image)
	must(t, remote.Write(ref(t, "%s/x:sig", host), signature))
	list, err := remote.Referrers(ref(t, "%s/x@%s", host, d).(name.Digest))
	must(t, err)
	m, err := list.IndexManifest()
	must(t, err)
	want, _ := signature.Digest()
	if len(m.Manifests) != 1 || m.Manifests[0].Digest != want {
		t.Errorf("referrers %+v, want %s", m.Manifests, want)
	}
}

// TestChunks sends a blob in pieces, as the specification allows, and as clients get it wrong.
func TestChunks(t *testing.T) {
	r, host := serve(t, Config{Dir: t.TempDir()})
	data := make([]byte, 1000)
	rand.Read(data)
	d := digest.FromBytes(data).String()
	start := func() string {
		header := wantStatus(t, request(t, "POST", "http://"+host+"/v2/x/blobs/uploads/", nil), 202, "")
		return "http://" + host + header.Get("Location")
	}
	patch := func(loc string, from, to int, status int) {
		wantStatus(t, request(t, "PATCH", loc, data[from:to], "Content-Range", fmt.Sprintf("%d-%d", from, to-1)), status, "")
	}

	t.Run("in order, then resumed", func(t *testing.T) {
		loc := start()
		patch(loc, 0, 1, 202)
		patch(loc, 1, 400, 202)
		patch(loc, 300, 500, 416) // overlaps
		patch(loc, 500, 600, 416) // leaves a hole
		header := wantStatus(t, request(t, "GET", loc, nil), 204, "")
		if got := header.Get("Range"); got != "0-399" {
			t.Errorf("range %q, want 0-399", got)
		}
		patch(loc, 400, 900, 202)
		wantStatus(t, request(t, "PUT", loc+"?digest="+d, data[900:], "Content-Range", "900-999"), 201, "")
		wantStatus(t, request(t, "GET", loc, nil), 404, "BLOB_UPLOAD_UNKNOWN")
	})
	t.Run("streamed, closed by an empty request", func(t *testing.T) {
		loc := start()
		wantStatus(t, request(t, "PATCH", loc, data), 202, "")
		wantStatus(t, request(t, "PUT", loc+"?digest="+d, nil), 201, "")
	})
	t.Run("in one request", func(t *testing.T) {
		wantStatus(t, request(t, "POST", "http://"+host+"/v2/y/blobs/uploads/?digest="+d, data), 201, "")
	})
	t.Run("sha512", func(t *testing.T) {
		loc := start()
		wantStatus(t, request(t, "PUT", loc+"?digest="+digest.SHA512.FromBytes(data).String(), data), 201, "")
	})
	t.Run("corrupt", func(t *testing.T) {
		bad := digest.FromString("something else").String()
		wantStatus(t, request(t, "POST", "http://"+host+"/v2/y/blobs/uploads/?digest="+bad, data), 400, "DIGEST_INVALID")
		loc := start()
		wantStatus(t, request(t, "PUT", loc+"?digest="+bad, data), 400, "DIGEST_INVALID")
		wantStatus(t, request(t, "HEAD", "http://"+host+"/v2/x/blobs/"+bad, nil), 404, "")
	})
	t.Run("ranges", func(t *testing.T) {
		url := "http://" + host + "/v2/x/blobs/" + d
		for header, status := range map[string]int{"bytes=0-9": 206, "bytes=990-5000": 206, "bytes=5-": 206, "bytes=1000-": 416, "bytes=5-1": 416} {
			wantStatus(t, request(t, "GET", url, nil, "Range", header), status, "")
		}
	})
	if left, _ := names(r.uploadDir()); len(left) != 0 {
		t.Errorf("uploads left behind: %q", left)
	}
}

func TestManifestRefused(t *testing.T) {
	_, host := serve(t, Config{Dir: t.TempDir()})
	const kind = "application/vnd.oci.image.manifest.v1+json"
	missing := digest.FromString("missing")
	for _, c := range []struct {
		name, body, code string
		status           int
	}{
		{"not JSON", "{", "MANIFEST_INVALID", 400},
		{"schema 1", `{"schemaVersion":1}`, "MANIFEST_INVALID", 400},
		{"another media type", `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json"}`, "MANIFEST_INVALID", 400},
		{"a layer that is not here", fmt.Sprintf(`{"schemaVersion":2,"layers":[{"digest":%q}]}`, missing), "MANIFEST_BLOB_UNKNOWN", 404},
		{"a child that is not here", fmt.Sprintf(`{"schemaVersion":2,"manifests":[{"digest":%q}]}`, missing), "MANIFEST_BLOB_UNKNOWN", 404},
		{"a digest that leads away", `{"schemaVersion":2,"layers":[{"digest":"sha256:../../../../etc/passwd"}]}`, "DIGEST_INVALID", 400},
		{"too large", `{"schemaVersion":2}` + strings.Repeat(" ", MaxManifestSize), "TOO_LARGE", 413},
	} {
		t.Run(c.name, func(t *testing.T) {
			url := "http://" + host + "/v2/x/manifests/1"
			wantStatus(t, request(t, "PUT", url, []byte(c.body), "Content-Type", kind), c.status, c.code)
			req := request(t, "PUT", url, []byte(c.body), "Content-Type", kind)
			req.ContentLength = -1 // its length not told in advance
			wantStatus(t, req, c.status, c.code)
		})
	}
}

func TestGarbage(t *testing.T) {
	dir := t.TempDir()
	r, host := serve(t, Config{Dir: dir, Grace: time.Minute, UntaggedAge: time.Minute})
	keep, gone := image(t, 2), image(t, 2)
	must(t, remote.Write(ref(t, "%s/x:keep", host), keep))
	must(t, remote.Write(ref(t, "%s/x:moved", host), gone))
	must(t, remote.Write(ref(t, "%s/x:moved", host), keep))
	must(t, remote.Write(ref(t, "%s/y:index", host), keep))
	index := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: keep})
	must(t, remote.WriteIndex(ref(t, "%s/y:index", host), index))
	wantStatus(t, request(t, "POST", "http://"+host+"/v2/x/blobs/uploads/?digest="+digest.FromString("orphan").String(), []byte("orphan")), 201, "")

	got, err := r.GC(t.Context(), r.Rules())
	must(t, err)
	if got != (Collected{}) {
		t.Errorf("collected %+v within the grace", got)
	}
	long := time.Now().Add(-time.Hour)
	must(t, filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err == nil {
			err = os.Chtimes(path, long, long)
		}
		return err
	}))
	wantStatus(t, request(t, "HEAD", "http://"+host+"/v2/x/blobs/"+digest.FromString("orphan").String(), nil), 200, "")
	got, err = r.GC(t.Context(), r.Rules())
	must(t, err)
	if got.Manifests != 1 || got.Blobs != 4 { // manifest, config and two layers of "gone"; the orphan was just asked for
		t.Errorf("collected %+v, want 1 manifest and 4 blobs", got)
	}
	for _, at := range []string{"x:keep", "x:moved"} {
		img, err := remote.Image(ref(t, "%s/%s", host, at))
		must(t, err)
		must(t, validate.Image(img))
	}
	idx, err := remote.Index(ref(t, "%s/y:index", host))
	must(t, err)
	must(t, validate.Index(idx))
}
