package pull

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

const loopbackUser = "leme"

// loopback is a registry for this machine's engine alone: it has the images that are being pulled, and only the engine
// is told its password, so that no other process here can read private images from it.
type loopback struct {
	listener net.Listener
	instance string // tells this agent's images from those of another on the same engine
	password string
	cache    *cache
	log      *slog.Logger

	mu       sync.Mutex
	offers   map[*offer]bool
	requests map[*layerRequest]bool
}

// layerRequest is the engine waiting for a layer. An engine does not hang up when its pull is cancelled, so the request
// is ended when no pull offers the layer any more.
type layerRequest struct {
	layer v1.Hash
	end   context.CancelFunc
}

func listenLoopback(cacheDir string, c *cache, log *slog.Logger) (*loopback, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for the engine: %w", err)
	}
	return &loopback{
		listener: l, instance: instanceOf(cacheDir), password: rand.Text(), cache: c, log: log, offers: map[*offer]bool{},
		requests: map[*layerRequest]bool{},
	}, nil
}

func (lo *loopback) run(ctx context.Context) error {
	s := &http.Server{Handler: lo, ReadHeaderTimeout: 10 * time.Second}
	stopped := context.AfterFunc(ctx, func() { s.Close() })
	defer stopped()
	if err := s.Serve(lo.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving layers to the engine: %w", err)
	}
	return nil
}

func (lo *loopback) add(o *offer) {
	lo.mu.Lock()
	defer lo.mu.Unlock()
	lo.offers[o] = true
}

func (lo *loopback) remove(o *offer) {
	lo.mu.Lock()
	defer lo.mu.Unlock()
	delete(lo.offers, o)
	for r := range lo.requests {
		if !lo.offered(r.layer) {
			r.end()
		}
	}
}

func (lo *loopback) offered(layer v1.Hash) bool {
	for o := range lo.offers {
		if _, ok := o.layers[layer]; ok {
			return true
		}
	}
	return false
}

// while gives a context that ends with ctx or when the layer is offered no more. The caller calls done.
func (lo *loopback) while(ctx context.Context, layer v1.Hash) (_ context.Context, done func()) {
	ctx, cancel := context.WithCancel(ctx)
	r := &layerRequest{layer, cancel}
	lo.mu.Lock()
	defer lo.mu.Unlock()
	lo.requests[r] = true
	if !lo.offered(layer) {
		cancel()
	}
	return ctx, func() {
		cancel()
		lo.mu.Lock()
		defer lo.mu.Unlock()
		delete(lo.requests, r)
	}
}

// find gives the offers that match; those under the repository's own name first. The engine shares a layer's transfer
// between pulls, so it may ask one image's repository for a layer when only another's pull is left.
func (lo *loopback) find(repo string, match func(*offer) bool) []*offer {
	lo.mu.Lock()
	defer lo.mu.Unlock()
	var own, others []*offer
	for o := range lo.offers {
		switch {
		case o.repo == repo:
			o.asked.Store(true)
			if match(o) {
				own = append(own, o)
			}
		case match(o):
			others = append(others, o)
		}
	}
	return append(own, others...)
}

// ServeHTTP answers the part of the distribution API that an engine pulls with.
func (lo *loopback) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	user, password, _ := r.BasicAuth()
	if subtle.ConstantTimeCompare([]byte(user+":"+password), []byte(loopbackUser+":"+lo.password)) != 1 {
		w.Header().Set("WWW-Authenticate", `Basic realm="leme"`)
		http.Error(w, `{"errors":[{"code":"UNAUTHORIZED","message":"this registry is for the node's engine"}]}`, http.StatusUnauthorized)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	repo, rest, ok := splitPath(r.URL.Path)
	switch {
	case !ok:
		w.WriteHeader(http.StatusNotFound)
	case repo == "":
		w.WriteHeader(http.StatusOK)
	case rest[0] == "manifests":
		lo.serveManifest(w, repo)
	default:
		lo.serveBlob(w, r, repo, rest[1])
	}
}

// splitPath takes /v2/REPO/manifests/X and /v2/REPO/blobs/X apart; /v2/ has no repository.
func splitPath(path string) (repo string, rest [2]string, ok bool) {
	path, ok = strings.CutPrefix(path, "/v2/")
	if !ok || path == "" {
		return "", rest, ok
	}
	parts := strings.Split(path, "/")
	n := len(parts)
	if n < 3 || parts[n-2] != "manifests" && parts[n-2] != "blobs" {
		return "", rest, false
	}
	return strings.Join(parts[:n-2], "/"), [2]string{parts[n-2], parts[n-1]}, true
}

func (lo *loopback) serveManifest(w http.ResponseWriter, repo string) {
	found := lo.find(repo, func(o *offer) bool { return o.repo == repo })
	if len(found) == 0 {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", found[0].kind)
	w.Header().Set("Docker-Content-Digest", found[0].digest.String())
	w.Header().Set("Content-Length", strconv.Itoa(len(found[0].manifest)))
	_, _ = w.Write(found[0].manifest)
}

func (lo *loopback) serveBlob(w http.ResponseWriter, r *http.Request, repo, digest string) {
	h, err := v1.NewHash(digest)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if found := lo.find(repo, func(o *offer) bool { return o.configOf == h }); len(found) > 0 {
		w.Header().Set("Content-Length", strconv.Itoa(len(found[0].config)))
		_, _ = w.Write(found[0].config)
		return
	}
	has := func(o *offer) bool { _, ok := o.layers[h]; return ok }
	found := lo.find(repo, has)
	if len(found) == 0 {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	ctx, done := lo.while(r.Context(), h)
	defer done()
	o := found[0]
	content := o.read(ctx, lo.cache, h)
	defer content.Close()
	if !o.ask(h) {
		_, _ = content.ready() // whoever reads is told what went wrong
	}
	o.ahead(lo.cache)
	sent := &began{ResponseWriter: w}
	if err = serveLayer(sent, r, content, o.layers[h].form); err == nil {
		return
	}
	if ctx.Err() == nil {
		for _, o := range lo.find(repo, has) {
			o.fail(err)
		}
	}
	if sent.yes {
		panic(http.ErrAbortHandler) // the answer has begun
	}
	w.WriteHeader(http.StatusBadGateway) // hanging up instead would make the engine ask again at once
}

// began notes whether anything was answered.
type began struct {
	http.ResponseWriter
	yes bool
}

func (b *began) Write(p []byte) (int, error) {
	b.yes = true
	return b.ResponseWriter.Write(p)
}

// serveLayer hands a layer to the engine while it arrives.
func serveLayer(w http.ResponseWriter, r *http.Request, content *layerReader, form form) error {
	w.Header().Set("Content-Type", "application/octet-stream")
	if form == unpacked {
		return copyUnpacked(w, content)
	}
	if form == asGzip {
		var magic [2]byte
		if _, err := io.ReadFull(content, magic[:]); err != nil {
			return err
		}
		if magic != gzipMagic {
			return errMislabelled
		}
		content.at = 0
	}
	http.ServeContent(w, r, "", time.Time{}, content)
	return content.failed()
}
