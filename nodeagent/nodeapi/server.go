package nodeapi

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/version"

	"leme/nodeagent/disk"
	"leme/nodeagent/pod"
)

// Pods is what the node is asked to run.
type Pods interface {
	// Lookup finds a pod by its names; uid is empty or must be its.
	Lookup(namespace, name, uid string) (*corev1.Pod, bool)
	// ContainerID gives the engine's ID of a container of a pod, or of the one before it. An error that is an API
	// status goes to the client as it is; any other as a bad request.
	ContainerID(namespace, pod, container string, previous bool) (string, error)
	List() []*corev1.Pod
	// Volumes gives where on this host a pod's volumes are, by name.
	Volumes(uid types.UID) map[string]string
}

// Observer tells of containers.
type Observer interface {
	Containers(ctx context.Context) ([]pod.Container, error)
	PodContainers(ctx context.Context, uid types.UID) ([]pod.Container, error)
	Stats(ctx context.Context, id string) (pod.Stats, error)
	// Stored tells what a container has written, and what its log takes.
	Stored(ctx context.Context, id string) (layer, log disk.Usage, err error)
	// StorageRoot is where images and what containers write is; empty when that is on another machine.
	StorageRoot(ctx context.Context) (string, error)
}

// Sessions opens sessions with containers.
type Sessions interface {
	Exec(ctx context.Context, id string, command []string) (output []byte, exitCode int, err error)
	ExecStream(ctx context.Context, id string, command []string, s pod.Streams) (exitCode int, err error)
	Attach(ctx context.Context, id string, s pod.Streams) error
}

// LogReader reads containers' logs.
type LogReader interface {
	Logs(ctx context.Context, id string, o corev1.PodLogOptions, stdout, stderr io.Writer) error
}

// Runtime is what the API needs of a container runtime. docker.Runtime has it all.
type Runtime interface {
	Observer
	Sessions
	LogReader
}

// Config says where to serve and to whom.
type Config struct {
	Address     string       // default :10250
	Listener    net.Listener // used in place of Address when it is set
	Node        string       // the node's name
	Home        string       // on the agent's own disk; default the root
	Certificate func() (*tls.Certificate, error)
	ClientCA    *x509.CertPool
	Reviews     *Reviews // nil: only servers and administrators are let in
	Pods        Pods
	Runtime     Runtime
	Volumes     Volumes
	Version     version.Info
	Health      func() error // nil is always healthy
	Metrics     prometheus.Gatherer
	Logger      *slog.Logger
}

func (c *Config) complete() error {
	switch {
	case c.Certificate == nil:
		return errors.New("nodeapi: a certificate is needed")
	case c.ClientCA == nil:
		return errors.New("nodeapi: the clients' CA is needed")
	case c.Pods == nil || c.Runtime == nil:
		return errors.New("nodeapi: pods and a runtime are needed")
	case c.Volumes == nil:
		return errors.New("nodeapi: a place for volumes is needed")
	}
	if c.Address == "" {
		c.Address = ":10250"
	}
	if c.Home == "" {
		c.Home = "/"
	}
	if c.Health == nil {
		c.Health = func() error { return nil }
	}
	if c.Metrics == nil {
		c.Metrics = prometheus.DefaultGatherer
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return nil
}

// Server is a node's API.
type Server struct {
	Config
	started time.Time
	gauge   gauge
	store   *store
}

// New makes a Server; Run serves.
func New(c Config) (*Server, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	return &Server{Config: c, started: time.Now(), gauge: gauge{runtime: c.Runtime}, store: newStore(c.Runtime, c.Pods)}, nil
}

// drainTime is how long requests under way may go on when the server stops.
const drainTime = 2 * time.Second

// Run serves until ctx ends, and then ends every session.
func (s *Server) Run(ctx context.Context) error {
	listener := s.Listener
	if listener == nil {
		var err error
		if listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", s.Address); err != nil {
			return fmt.Errorf("serving the node's API: %w", err)
		}
	}
	storing, stopStoring := context.WithCancel(ctx)
	var background sync.WaitGroup
	background.Go(func() { s.store.run(storing) })
	defer background.Wait()
	defer stopStoring()
	sessions, endSessions := context.WithCancel(context.WithoutCancel(ctx))
	defer endSessions()
	server := &http.Server{
		Handler:           s.handler(),
		TLSConfig:         s.tls(),
		TLSNextProto:      map[string]func(*http.Server, *tls.Conn, http.Handler){}, // HTTP/2 has no upgrades
		ReadHeaderTimeout: 30 * time.Second,
		IdleTimeout:       90 * time.Second,
		ErrorLog:          slog.NewLogLogger(s.Logger.Handler(), slog.LevelDebug),
		BaseContext:       func(net.Listener) context.Context { return sessions },
	}
	stopped := make(chan struct{})
	stopping := context.AfterFunc(ctx, func() {
		defer close(stopped)
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
		defer cancel()
		endSessions()
		if server.Shutdown(drain) != nil {
			server.Close() // it is ending, whatever that says
		}
	})
	err := server.ServeTLS(listener, "", "")
	if !stopping() {
		<-stopped
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("serving the node's API: %w", err)
}

func (s *Server) tls() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		ClientCAs:      s.ClientCA,
		ClientAuth:     tls.VerifyClientCertIfGiven, // /healthz is open, and there are tokens; authorized decides
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return s.Certificate() },
	}
}

// handler is the whole API, in the order of the kubelet's documentation.
func (s *Server) handler() http.Handler {
	api := http.NewServeMux()
	for _, route := range []struct {
		pattern string
		handle  http.HandlerFunc
	}{
		{"GET /pods", s.pods},
		{"GET /runningpods/", s.runningPods},
		{"GET /version", s.version},
		{"GET /metrics", s.metrics},
		{"GET /metrics/cadvisor", s.cadvisorMetrics},
		{"GET /metrics/probes", s.probeMetrics},
		{"GET /metrics/resource", s.resourceMetrics},
		{"GET /stats/summary", s.summary},
		{"GET /containerLogs/{namespace}/{pod}/{container}", s.logs},
		{"POST /run/{namespace}/{pod}/{container}", s.run},
		{"POST /run/{namespace}/{pod}/{uid}/{container}", s.run},
		{"/exec/{namespace}/{pod}/{container}", s.exec},
		{"/exec/{namespace}/{pod}/{uid}/{container}", s.exec},
		{"/attach/{namespace}/{pod}/{container}", s.attach},
		{"/attach/{namespace}/{pod}/{uid}/{container}", s.attach},
		{"/portForward/{namespace}/{pod}", s.portForward},
		{"/portForward/{namespace}/{pod}/{uid}", s.portForward},
		{"PUT /volumes/{volume}", s.makeVolume},
		{"DELETE /volumes/{volume}", s.removeVolume},
	} {
		api.HandleFunc(route.pattern, route.handle)
	}
	open := http.NewServeMux()
	open.HandleFunc("GET /healthz", s.healthz)
	open.HandleFunc("GET /healthz/ping", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	open.HandleFunc("GET /healthz/syncloop", s.healthz)
	open.Handle("/", s.authorized(api))
	return open
}
