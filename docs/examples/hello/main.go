// Command hello is a web server that says which pod answers. It is the program of the examples: small, static, and a
// good citizen of a cluster: it logs to standard output, answers health probes, and ends in order when it is told to.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

// drain is how long requests may take to end after a SIGTERM.
const drain = 5 * time.Second

func main() {
	port := flag.Int("port", 8080, "the `port` to listen on")
	flag.Parse()
	log := slog.New(slog.NewTextHandler(os.Stdout, nil))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, log, net.JoinHostPort("", strconv.Itoa(*port))); err != nil {
		log.Error("hello failed", "err", err)
		os.Exit(1)
	}
}

// run serves until ctx ends, then lets running requests finish.
func run(ctx context.Context, log *slog.Logger, addr string) error {
	s := server{pod: podName(), log: log}
	web := &http.Server{Addr: addr, Handler: s.routes(), ReadHeaderTimeout: 5 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- web.ListenAndServe() }()
	log.Info("listening", "addr", addr, "pod", s.pod)
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	s.stopping.Store(true)
	log.Info("stopping")
	ctx, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	if err := web.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// podName is the pod's name from the downward API, and outside a cluster the machine's.
func podName() string {
	host, _ := os.Hostname()
	return cmp.Or(os.Getenv("POD_NAME"), host, "unknown")
}

type server struct {
	pod      string
	log      *slog.Logger
	stopping atomic.Bool
}

func (s *server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.health)
	mux.HandleFunc("/", s.hello)
	return mux
}

// health is for probes; a server that is stopping is not ready for more.
func (s *server) health(w http.ResponseWriter, _ *http.Request) {
	if s.stopping.Load() {
		http.Error(w, "stopping", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

func (s *server) hello(w http.ResponseWriter, r *http.Request) {
	s.log.Info("request", "method", r.Method, "path", r.URL.Path, "from", r.RemoteAddr)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintf(w, "Hello from %s\ntime: %s\npath: %q\n", s.pod, time.Now().UTC().Format(time.RFC3339), r.URL.Path)
}
