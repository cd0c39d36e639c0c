package rest

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/semaphore"
	"k8s.io/apimachinery/pkg/util/uuid"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"

	"leme/server/audit"
	"leme/server/auth"
	"leme/server/auth/token"
	"leme/server/flow"
	"leme/server/kind"
	"leme/server/openapi"
	"leme/server/resource"
)

// Config is what a Handler serves and whom it asks.
type Config struct {
	API           *resource.API
	Documents     *openapi.Documents
	Authenticator auth.Authenticator
	Authorizer    auth.Authorizer
	Tokens        *token.Tokens // of service accounts
	Agents        *tls.Config   // the server's identity towards the nodes' agents
	Version       string        // Leme's own, e.g. "0.1.0"
	Mounts        []Mount
	Flow          *flow.Controller     // who is served when there is much to do; nil: one with its defaults
	Metrics       *prometheus.Registry // nil: one of its own
	Shown         prometheus.Gatherer  // what /metrics shows; nil: Metrics
	Tracer        trace.Tracer         // nil: nothing is traced
	Audit         *audit.Log           // nil: nothing is recorded
}

func (c *Config) validate() error {
	switch {
	case c.API == nil, c.Documents == nil, c.Authenticator == nil, c.Authorizer == nil, c.Tokens == nil, c.Agents == nil:
		return errors.New("rest: API, Documents, Authenticator, Authorizer, Tokens and Agents must be set")
	}
	if c.Metrics == nil {
		c.Metrics = prometheus.NewRegistry()
	}
	if c.Shown == nil {
		c.Shown = c.Metrics
	}
	if c.Flow == nil {
		var err error
		c.Flow, err = flow.New(flow.Config{Metrics: c.Metrics})
		return err
	}
	return nil
}

// Handler serves the Kubernetes API. Make it with New.
type Handler struct {
	api       *resource.API
	kinds     *kind.Set
	documents *openapi.Documents
	authn     auth.Authenticator
	authz     auth.Authorizer
	tokens    *token.Tokens
	agents    *agents
	discovery *discovery
	metrics   *metrics
	flow      *flow.Controller
	auditLog  *audit.Log
	tracer    trace.Tracer
	bodyTime  time.Duration
	watchTime time.Duration
	memory    *semaphore.Weighted
	mounts    []Mount
	tables    tables
	pieces    pieces // of lists, compressed
	version   string
	fixed     *http.ServeMux // every path that names no resource
	steps     http.Handler

	life context.Context // ends with Close
	end  context.CancelFunc
}

// New makes a handler; Close ends what it has running.
func New(c Config) (*Handler, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	h := &Handler{
		api: c.API, kinds: c.API.Kinds(), documents: c.Documents,
		authn: c.Authenticator, authz: c.Authorizer, tokens: c.Tokens,
		agents:    newAgents(c.API, c.Agents),
		discovery: newDiscovery(c.API.Kinds(), named(c.Mounts)...),
		metrics:   newMetrics(c.Metrics, c.Shown),
		flow:      c.Flow,
		auditLog:  c.Audit,
		tracer:    c.Tracer,
		bodyTime:  bodyTime,
		watchTime: watchWriteTime,
		memory:    semaphore.NewWeighted(decoding),
		mounts:    c.Mounts,
		version:   c.Version,
	}
	c.Metrics.MustRegister(newObjectCounter(h))
	h.life, h.end = context.WithCancel(context.Background())
	h.fixed = h.fixedPaths(c.Mounts)
	h.chain()
	return h, nil
}

// chain joins the steps. A request passes them from the last line to the first.
func (h *Handler) chain() {
	var next http.Handler = http.HandlerFunc(h.route)
	next = h.authorize(next)
	next = h.limit(next)
	next = h.impersonate(next)
	next = h.audit(next)
	next = h.trace(next)
	next = h.authenticate(next)
	next = h.observe(next)
	next = h.recover(next)
	h.steps = next
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	c := &call{w: &recorder{ResponseWriter: w}, r: r, query: query, info: parseInfo(r.Method, r.URL.Path, query), bodyTime: h.bodyTime,
		memory: h.memory, id: requestID(r), arrived: time.Now()}
	c.mount = h.mountOf(r.URL.Path)
	w.Header().Set(auditv1.HeaderAuditID, c.id)
	c.r = r.WithContext(context.WithValue(r.Context(), callKey{}, c))
	defer func() {
		for _, end := range c.ended {
			end()
		}
	}()
	h.steps.ServeHTTP(c.w, c.r)
}

// maxRequestID bounds an ID that a request comes with, in bytes.
const maxRequestID = 64

// requestID is the one that a request comes with, from whoever passed it on, or a new one.
func requestID(r *http.Request) string {
	if id := r.Header.Get(auditv1.HeaderAuditID); id != "" {
		return id[:min(len(id), maxRequestID)]
	}
	return string(uuid.NewUUID())
}

// Close ends all watches and idle connections to agents, so that a graceful shutdown need not wait for them.
func (h *Handler) Close() {
	h.end()
	h.agents.close()
}
