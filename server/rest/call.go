package rest

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/sync/semaphore"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/auth"
	"leme/server/kind"
	"leme/server/resource"
)

// call is one request on its way through the steps.
type call struct {
	w      *recorder
	r      *http.Request
	query  url.Values
	info   info
	user   auth.User
	kind   *kind.Kind // of a resource's request
	accept accept
	mount  *Mount // nil for the API's own
	tables *tables
	pieces *pieces

	id       string // of the request, in logs: its own, or the one that it came with
	arrived  time.Time
	audit    *record             // nil: nothing is recorded
	failure  *metav1.Status      // the answer, where that is one
	memory   *semaphore.Weighted // for decoding, in bytes
	ended    []func()            // called at the request's end
	bodyTime time.Duration       // for its body to come

	series *series
	queued time.Duration // until it was let in
	begun  func()        // gives back what the beginning of a watch has cost

	warned int // bytes of warnings given
}

type callKey struct{}

// of finds the call that a step's request belongs to.
func of(r *http.Request) *call { return r.Context().Value(callKey{}).(*call) }

// target is the call's object or collection for the verbs.
func (c *call) target() resource.Target {
	namespace := c.info.Namespace
	if !c.kind.Namespaced {
		namespace = ""
	}
	return resource.Target{
		Kind: c.kind, Namespace: namespace, Name: c.info.Name, Subresource: c.info.Subresource, User: c.user.Name,
	}
}

// context is the request's, with who asks for what, and with warnings going to the response's headers.
func (c *call) context() context.Context {
	ctx := auth.WithRequest(c.r.Context(), auth.Request{User: c.user, Attributes: c.attributes()})
	if c.audit != nil {
		ctx = resource.WithAnnotations(ctx, c.audit.annotate)
	}
	return resource.WithWarnings(ctx, c.warn)
}

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	status   int
	bytes    int64
	onHeader func() // called once the answer begins; nil: nobody wants to know
}

func (w *recorder) begin(status int) {
	if w.status != 0 {
		return
	}
	w.status = status
	if w.onHeader != nil {
		w.onHeader()
	}
}

func (w *recorder) WriteHeader(status int) {
	w.begin(status)
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(p []byte) (int, error) {
	w.begin(http.StatusOK)
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Flush implements http.Flusher.
func (w *recorder) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

// Hijack implements http.Hijacker, for the upgrades that proxies pass through.
func (w *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.begin(http.StatusSwitchingProtocols)
	return http.NewResponseController(w.ResponseWriter).Hijack()
}
