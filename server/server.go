// Package server is the master of a cluster: etcd and the store over it, the Kubernetes API, the controllers and the
// scheduler, in one process that starts and ends as one.
//
//	s, err := server.New(server.Config{Home: home, Version: version})
//	go s.Run(ctx)
//	<-s.Ready()
package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"leme/server/audit"
	"leme/server/auth"
	"leme/server/auth/token"
	"leme/server/controller"
	"leme/server/gather"
	"leme/server/kind"
	"leme/server/store"
	"leme/server/tracing"
)

// Server is the master. Make it with New, then call Run once.
type Server struct {
	config      Config
	pki         *auth.PKI
	tokens      *auth.Tokens
	accountKeys *token.Keys // sign the tokens of service accounts
	listener    net.Listener
	kinds       *kind.Set
	metrics     *prometheus.Registry
	audit       *audit.Log               // nil: none is kept
	traces      *sdktrace.TracerProvider // nil: nothing is traced
	ready       chan struct{}
	serving     atomic.Pointer[parts] // nil until they are made
}

// New prepares the PKI, the admin kubeconfig (Home/kubeconfig) and the listener; nothing runs yet.
func New(c Config) (*Server, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	s := &Server{config: c, kinds: kind.All(), metrics: newMetrics(c.Collectors), ready: make(chan struct{})}
	var err error
	if s.pki, err = auth.OpenPKI(filepath.Join(c.Home, "pki"), []string{c.Advertise}); err != nil {
		return nil, err
	}
	if s.tokens, err = auth.OpenTokens(filepath.Join(c.Home, "pki", "tokens")); err != nil {
		return nil, err
	}
	if s.accountKeys, err = token.OpenKeys(filepath.Join(c.Home, "pki", "sa.key")); err != nil {
		return nil, err
	}
	if c.Audit.Path != "" {
		if s.audit, err = audit.Open(c.Audit, s.metrics); err != nil {
			return nil, err
		}
	}
	if c.TracingEndpoint != "" {
		traces := tracing.Config{Endpoint: c.TracingEndpoint, RatePerMillion: c.TracingRatePerMillion, Version: c.Version}
		if s.traces, err = tracing.Open(context.Background(), traces); err != nil {
			return nil, err
		}
	}
	if s.listener, err = net.Listen("tcp", c.Listen); err != nil {
		return nil, fmt.Errorf("listening for the API: %w", err)
	}
	path := filepath.Join(c.Home, "kubeconfig")
	if err := s.pki.WriteKubeconfig(path, s.URL(), auth.AdminUser, []string{auth.GroupMasters}, nil); err != nil {
		return nil, errors.Join(err, s.listener.Close())
	}
	return s, nil
}

// URL is where clients reach the API.
func (s *Server) URL() string {
	return "https://" + net.JoinHostPort(s.config.Advertise, strconv.Itoa(s.port()))
}

func (s *Server) port() int { return s.listener.Addr().(*net.TCPAddr).Port }

// Ready is closed once the API answers.
func (s *Server) Ready() <-chan struct{} { return s.ready }

// NodeKubeconfig writes the kubeconfig of a node's agent; hosts are the addresses that its certificate carries.
func (s *Server) NodeKubeconfig(path, nodeName string, hosts []string) error {
	return s.pki.WriteKubeconfig(path, s.URL(), auth.NodePrefix+nodeName, []string{auth.GroupNodes}, hosts)
}

// Run serves until ctx ends or a part fails. The store and the audit log outlive everything that uses them.
func (s *Server) Run(ctx context.Context) error {
	if s.traces != nil {
		defer tracing.Close(s.traces)
	}
	st, err := s.openStore()
	if err != nil {
		return errors.Join(err, s.listener.Close())
	}
	storing, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return st.Run(storing) })
	if s.audit != nil {
		g.Go(func() error { return s.audit.Run(storing) })
	}
	g.Go(func() error {
		defer stop()
		return s.serve(ctx, st)
	})
	return g.Wait()
}

func (s *Server) openStore() (*store.Store, error) {
	c := s.config
	sealer, err := c.sealer()
	if err != nil {
		return nil, err
	}
	return store.Open(store.Config{
		Endpoints: c.EtcdEndpoints, CA: c.EtcdCA, Cert: c.EtcdCert, Key: c.EtcdKey,
		DataDir: filepath.Join(c.Home, "etcd"), Decode: decoder(s.kinds), Sealer: sealer,
		Metrics: s.metrics,
	})
}

// tracer is nil where nothing is traced.
func (s *Server) tracer() trace.Tracer {
	if s.traces == nil {
		return nil
	}
	return tracing.Tracer(s.traces)
}

// serve runs all that works over the store.
func (s *Server) serve(ctx context.Context, st *store.Store) error {
	p, err := s.prepare(ctx, st)
	if err != nil || ctx.Err() != nil {
		return errors.Join(err, s.listener.Close())
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.control(ctx, p) })
	g.Go(func() error { return s.measure(ctx, p) })
	g.Go(func() error { return controller.Register(ctx, st.Client(), s.config.Advertise, s.port()) })
	g.Go(func() error { return s.admit(ctx, p) })
	return g.Wait()
}

// admit lets requests in once it is known who may do what, and keeps up with that.
func (s *Server) admit(ctx context.Context, p *parts) error {
	roles, pods := make(chan struct{}), make(chan struct{})
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return p.access.Run(ctx, p.api, func() { close(roles) }) })
	g.Go(func() error { return p.nodes.Run(ctx, p.api, func() { close(pods) }) })
	g.Go(func() error {
		for _, known := range []chan struct{}{roles, pods} {
			select {
			case <-known:
			case <-ctx.Done():
				p.handler.Close()
				return s.listener.Close()
			}
		}
		close(s.ready)
		return s.listen(ctx, p.handler)
	})
	return g.Wait()
}

// prepare waits for the store and makes what must be there before the first request.
func (s *Server) prepare(ctx context.Context, st *store.Store) (*parts, error) {
	select {
	case <-st.Ready():
	case <-ctx.Done():
		return nil, nil
	}
	p, err := s.newParts(st)
	if err != nil {
		return nil, err
	}
	s.serving.Store(p)
	if err := bootstrap(ctx, p.api, s.config.ServiceCIDR); err != nil && ctx.Err() == nil {
		return nil, err
	}
	return p, nil
}

// listen serves the API until ctx ends, then lets the requests that there are finish.
func (s *Server) listen(ctx context.Context, handler closer) error {
	h := newHTTPServer(handler)
	done := make(chan error, 1)
	go func() { done <- h.Serve(tls.NewListener(gather.Listener(s.listener), s.pki.ServerTLS())) }()
	select {
	case err := <-done:
		handler.Close()
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("serving the API: %w", err)
	case <-ctx.Done():
	}
	handler.Close()
	finishing, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := h.Shutdown(finishing); err != nil {
		_ = h.Close()
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving the API: %w", err)
	}
	return nil
}

// closer is a handler that can end what it has running.
type closer interface {
	http.Handler
	Close()
}
