package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"
)

// bodyOf does one request that must succeed.
func bodyOf(t *testing.T, req *http.Request) (string, http.Header) {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	must(t, err)
	if resp.StatusCode >= 300 {
		t.Fatalf("%s %s: %s %s", req.Method, req.URL, resp.Status, body)
	}
	return string(body), resp.Header
}

func TestConditions(t *testing.T) {
	_, host := serve(t, Config{Dir: t.TempDir()})
	pushBlob(t, host, "x", []byte("0123456789"), 201, "")
	d := digest.FromString("0123456789").String()
	url := "http://" + host + "/v2/x/blobs/" + d
	_, header := bodyOf(t, request(t, "HEAD", url, nil))
	if header.Get("Etag") != `"`+d+`"` || header.Get("Content-Length") != "10" || header.Get("Accept-Ranges") != "bytes" {
		t.Errorf("headers %v", header)
	}
	wantStatus(t, request(t, "GET", url, nil, "If-None-Match", `"`+d+`"`), 304, "")
	if got, _ := bodyOf(t, request(t, "GET", url, nil, "Range", "bytes=-3")); got != "789" {
		t.Errorf("the last three bytes are %q", got)
	}
	if got, _ := bodyOf(t, request(t, "GET", url, nil, "Range", "bytes=4-", "If-Range", `"another"`)); got != "0123456789" {
		t.Errorf("a range of another blob gives %q", got)
	}
}

func TestCancelUpload(t *testing.T) {
	r, host := serve(t, Config{Dir: t.TempDir()})
	header := wantStatus(t, request(t, "POST", "http://"+host+"/v2/x/blobs/uploads/", nil), 202, "")
	at := "http://" + host + header.Get("Location")
	wantStatus(t, request(t, "PATCH", at, []byte("half")), 202, "")
	wantStatus(t, request(t, "DELETE", strings.Replace(at, "/x/", "/y/", 1), nil), 404, "BLOB_UPLOAD_UNKNOWN")
	wantStatus(t, request(t, "DELETE", at, nil), 204, "")
	wantStatus(t, request(t, "PATCH", at, []byte("half")), 404, "BLOB_UPLOAD_UNKNOWN")
	if left, _ := names(r.uploadDir()); len(left) != 0 || r.usage.coming.Load() != 0 {
		t.Errorf("%q and %d bytes are left", left, r.usage.coming.Load())
	}
}

// brokenBody breaks off after what it has.
type brokenBody struct{ io.Reader }

func (b brokenBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = errors.New("the line is cut")
	}
	return n, err
}

// TestResumeAfterBrokenChunk goes on where a line broke, as the server's answer tells.
func TestResumeAfterBrokenChunk(t *testing.T) {
	r, host := serve(t, Config{Dir: t.TempDir()})
	const text = "hello, world"
	header := wantStatus(t, request(t, "POST", "http://"+host+"/v2/x/blobs/uploads/", nil), 202, "")
	at := header.Get("Location")
	id := at[strings.LastIndex(at, "/")+1:]
	upload, err := r.ResumeUpload("x", id, anyOffset)
	must(t, err)
	if err := upload.copy(brokenBody{strings.NewReader(text[:5])}); !errors.Is(err, ErrSizeInvalid) {
		t.Errorf("error %v, want that the body broke off", err)
	}
	wantStatus(t, request(t, "PATCH", "http://"+host+at, []byte("x")), 429, "TOOMANYREQUESTS") // it is not let go yet
	upload.Close()

	header = wantStatus(t, request(t, "GET", "http://"+host+at, nil), 204, "")
	if got := header.Get("Range"); got != "0-4" {
		t.Fatalf("range %q, want 0-4", got)
	}
	wantStatus(t, request(t, "PATCH", "http://"+host+at, []byte(text[5:]), "Content-Range", fmt.Sprintf("5-%d", len(text)-1)), 202, "")
	wantStatus(t, request(t, "PUT", "http://"+host+at+"?digest="+digest.FromString(text).String(), nil), 201, "")
}

// TestMountNeedsReading mounts from what the client may read, and starts an upload otherwise.
func TestMountNeedsReading(t *testing.T) {
	_, host := serve(t, Config{Dir: t.TempDir(), Readable: func(_ context.Context, repo string) bool { return repo != "secret" }})
	secret, open := []byte("secret"), []byte("open")
	pushBlob(t, host, "secret", secret, 201, "")
	pushBlob(t, host, "open", open, 201, "")
	for _, c := range []struct {
		from   string
		data   []byte
		status int
	}{
		{"&from=open", open, 201},
		{"", open, 201},
		{"&from=secret", secret, 202},
		{"&from=../../secret", secret, 202},
		{"", secret, 202},
	} {
		url := fmt.Sprintf("http://%s/v2/mine/blobs/uploads/?mount=%s%s", host, digest.FromBytes(c.data), c.from)
		wantStatus(t, request(t, "POST", url, nil), c.status, "")
	}
}

func TestTagsWithManifest(t *testing.T) {
	_, host := serve(t, Config{Dir: t.TempDir()})
	body := []byte(`{"schemaVersion":2,"mediaType":"` + ocispec.MediaTypeImageIndex + `","manifests":[]}`)
	url := "http://" + host + "/v2/x/manifests/"
	d := digest.SHA512.FromBytes(body).String()
	header := wantStatus(t, request(t, "PUT", url+d+"?tag=a&tag=b", body, "Content-Type", ocispec.MediaTypeImageIndex+"; charset=utf-8"), 201, "")
	if !slices.Equal(header.Values("Oci-Tag"), []string{"a", "b"}) || header.Get(digestHeader) != d {
		t.Errorf("headers %v", header)
	}
	got, header := bodyOf(t, request(t, "GET", url+"b", nil))
	if got != string(body) || header.Get(digestHeader) != d || header.Get("Content-Type") != ocispec.MediaTypeImageIndex {
		t.Errorf("%q, headers %v", got, header)
	}
	wantStatus(t, request(t, "PUT", url+d+"?tag=../x", body), 400, "TAG_INVALID")
	wantStatus(t, request(t, "PUT", url+"-x", body), 400, "TAG_INVALID")
	wantStatus(t, request(t, "PUT", url+"sha256:zz", body), 400, "DIGEST_INVALID")
	wantStatus(t, request(t, "PUT", url+digest.FromString("other").String(), body), 400, "DIGEST_INVALID")
	wantStatus(t, request(t, "PUT", url+d+"?"+strings.Repeat("tag=x&", maxTags+1), body), 400, "TAG_INVALID")
	wantStatus(t, request(t, "POST", url+d, body), 405, "UNSUPPORTED")
}

func TestPages(t *testing.T) {
	_, host := serve(t, Config{Dir: t.TempDir()})
	url := "http://" + host + "/v2/_catalog"
	for _, repo := range []string{"a", "b", "c"} {
		must(t, remote.Write(ref(t, "%s/%s:1", host, repo), image(t, 1)))
	}
	for query, want := range map[string][]string{
		"": {"a", "b", "c"}, "?n=2": {"a", "b"}, "?n=2&last=b": {"c"}, "?last=aa": {"b", "c"}, "?n=0": {}, "?last=z": {},
	} {
		body, header := bodyOf(t, request(t, "GET", url+query, nil))
		var got struct{ Repositories []string }
		must(t, json.Unmarshal([]byte(body), &got))
		if !slices.Equal(got.Repositories, want) || strings.Contains(body, "null") {
			t.Errorf("%q: %s, want %q", query, body, want)
		}
		if more := query == "?n=2"; more != (header.Get("Link") != "") {
			t.Errorf("%q: link %q", query, header.Get("Link"))
		}
	}
	wantStatus(t, request(t, "GET", url+"?n=-1", nil), 400, "PAGINATION_NUMBER_INVALID")
	wantStatus(t, request(t, "GET", url+"?n=many", nil), 400, "PAGINATION_NUMBER_INVALID")
}

func TestReferrersByType(t *testing.T) {
	_, host := serve(t, Config{Dir: t.TempDir()})
	subject := digest.FromString("not pushed yet")
	for _, kind := range []string{"example/sbom", "example/signature"} {
		body, err := json.Marshal(map[string]any{
			"schemaVersion": 2, "mediaType": ocispec.MediaTypeImageIndex, "artifactType": kind, "manifests": []any{},
			"subject": map[string]any{"mediaType": ocispec.MediaTypeImageManifest, "digest": subject, "size": 14}, "annotations": map[string]string{"of": kind},
		})
		must(t, err)
		header := wantStatus(t, request(t, "PUT", "http://"+host+"/v2/x/manifests/"+digest.FromBytes(body).String(), body, "Content-Type", ocispec.MediaTypeImageIndex), 201, "")
		if header.Get("Oci-Subject") != subject.String() {
			t.Errorf("headers %v", header)
		}
	}
	url := "http://" + host + "/v2/x/referrers/"
	for query, want := range map[string]int{subject.String(): 2, subject.String() + "?artifactType=example/sbom": 1, digest.FromString("x").String(): 0} {
		body, header := bodyOf(t, request(t, "GET", url+query, nil))
		var got ocispec.Index
		must(t, json.Unmarshal([]byte(body), &got))
		if len(got.Manifests) != want || got.Manifests == nil || header.Get("Content-Type") != ocispec.MediaTypeImageIndex {
			t.Errorf("%s: %s", query, body)
		}
		if filtered := strings.Contains(query, "?"); filtered != (header.Get("Oci-Filters-Applied") == "artifactType") {
			t.Errorf("%s: headers %v", query, header)
		}
		for _, m := range got.Manifests {
			if m.Annotations["of"] != m.ArtifactType {
				t.Errorf("%+v", m)
			}
		}
	}
	wantStatus(t, request(t, "GET", url+"latest", nil), 400, "DIGEST_INVALID")
	// Clients that do not know of referrers keep a list of their own under a tag.
	fallback := strings.Replace(subject.String(), ":", "-", 1)
	wantStatus(t, request(t, "PUT", "http://"+host+"/v2/x/manifests/"+fallback, []byte(`{"schemaVersion":2,"manifests":[]}`), "Content-Type", ocispec.MediaTypeImageIndex), 201, "")
}

// TestSamePushes lets several clients push the same image at once, while the collector runs.
func TestSamePushes(t *testing.T) {
	r, host := serve(t, Config{Dir: t.TempDir(), UntaggedAge: time.Minute, Grace: time.Minute})
	img := image(t, 4)
	var group errgroup.Group
	for i := range 8 {
		group.Go(func() error { return remote.Write(ref(t, "%s/x:%d", host, i%2), img) })
		group.Go(func() error {
			_, err := r.GC(t.Context(), r.Rules())
			return err
		})
	}
	must(t, group.Wait())
	for _, tag := range []string{"0", "1"} {
		got, err := remote.Image(ref(t, "%s/x:%s", host, tag))
		must(t, err)
		must(t, validate.Image(got))
	}
	if r.usage.coming.Load() != 0 {
		t.Errorf("%d bytes are said to be on their way", r.usage.coming.Load())
	}
	stored := r.usage.stored.Load()
	must(t, r.measure())
	if got := r.usage.stored.Load(); got != stored {
		t.Errorf("%d bytes were counted, %d are there", stored, got)
	}
}

func TestCollectOnRequest(t *testing.T) {
	_, host := serve(t, Config{Dir: t.TempDir(), Grace: time.Nanosecond})
	pushBlob(t, host, "x", []byte("orphan"), 201, "")
	url := "http://" + host + "/v2/_leme/gc"
	const want = `{"uploads":0,"manifests":0,"blobs":1,"bytes":6}`
	for _, query := range []string{"?dryRun=true", ""} {
		if got, _ := bodyOf(t, request(t, "POST", url+query, nil)); got != want {
			t.Errorf("%q: %s, want %s", query, got, want)
		}
	}
	wantStatus(t, request(t, "POST", url+"?untagged=soon", nil), 400, "is no duration")
	wantStatus(t, request(t, "POST", url+"?dryRun=perhaps", nil), 400, "dryRun")
	wantStatus(t, request(t, "GET", url, nil), 405, "UNSUPPORTED")
}

// TestInUse keeps what a pod names by digest, and everything when that is not known.
func TestInUse(t *testing.T) {
	var inUse InUse
	var unknown error
	r, host := serve(t, Config{Dir: t.TempDir(), Grace: time.Nanosecond, UntaggedAge: time.Nanosecond, Used: func(context.Context) (InUse, error) { return inUse, unknown }})
	img := image(t, 1)
	d, err := img.Digest()
	must(t, err)
	must(t, remote.Write(ref(t, "%s/x@%s", host, d), img))
	inUse = InUse{"x": {digest.Digest(d.String()): true}}
	for _, step := range []func(){func() {}, func() { inUse, unknown = nil, errors.New("not now") }} {
		step()
		got, err := r.GC(t.Context(), r.Rules())
		must(t, err)
		if got != (Collected{}) {
			t.Errorf("collected %+v of what is in use", got)
		}
	}
	unknown = nil
	got, err := r.GC(t.Context(), r.Rules())
	must(t, err)
	if got.Manifests != 1 || got.Blobs != 3 {
		t.Errorf("collected %+v, want 1 manifest and 3 blobs", got)
	}
	if repos, err := r.repositories(); err != nil || len(repos) != 0 {
		t.Errorf("left: %q, %v", repos, err)
	}
}
