package registry

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/opencontainers/go-digest"
)

func pushBlob(t *testing.T, host, repo string, data []byte, status int, code string) {
	t.Helper()
	url := fmt.Sprintf("http://%s/v2/%s/blobs/uploads/?digest=%s", host, repo, digest.FromBytes(data))
	wantStatus(t, request(t, "POST", url, data), status, code)
}

func TestQuota(t *testing.T) {
	r, host := serve(t, Config{Dir: t.TempDir(), Quota: 3000, RepositoryQuota: 2000, Grace: time.Nanosecond})
	a, b, c := bytes.Repeat([]byte("a"), 1200), bytes.Repeat([]byte("b"), 1200), bytes.Repeat([]byte("c"), 1200)
	pushBlob(t, host, "x", a, 201, "")
	pushBlob(t, host, "x", b, 403, "DENIED") // of the repository
	pushBlob(t, host, "y", b, 201, "")
	pushBlob(t, host, "z", c, 403, "DENIED") // of the registry
	mount := fmt.Sprintf("http://%s/v2/z/blobs/uploads/?from=x&mount=%s", host, digest.FromBytes(a))
	wantStatus(t, request(t, "POST", mount, nil), 201, "") // takes no room on disk
	mount = fmt.Sprintf("http://%s/v2/z/blobs/uploads/?from=y&mount=%s", host, digest.FromBytes(b))
	wantStatus(t, request(t, "POST", mount, nil), 202, "") // but in the repository it does
	if got := r.usage.stored.Load(); got != 2400 {
		t.Errorf("%d bytes are stored, want 2400", got)
	}

	wantStatus(t, request(t, "DELETE", fmt.Sprintf("http://%s/v2/y/blobs/%s", host, digest.FromBytes(b)), nil), 202, "")
	_, err := r.GC(t.Context(), r.Rules())
	must(t, err)
	pushBlob(t, host, "y", c, 201, "")
	if got := r.usage.coming.Load(); got != 0 {
		t.Errorf("%d bytes are on their way, want none", got)
	}
}

// TestQuotaAfterRestart finds the quota full of what an earlier process took in.
func TestQuotaAfterRestart(t *testing.T) {
	cfg := Config{Dir: t.TempDir(), Quota: 50_000, RepositoryQuota: 40_000}
	_, host := serve(t, cfg)
	must(t, remote.Write(ref(t, "%s/x:1", host), image(t, 3)))
	_, host = serve(t, cfg)
	pushBlob(t, host, "x", make([]byte, 10_000), 403, "DENIED")
	pushBlob(t, host, "y", make([]byte, 30_000), 403, "DENIED")
	pushBlob(t, host, "y", make([]byte, 10_000), 201, "")
}
