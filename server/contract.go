package server

import (
	"context"
	"net/http"
)

// Config is what a server needs; see validate for the defaults.
type Config struct {
	Home                      string   // $LEME_HOME: pki/, etcd/, kubeconfig
	Listen                    string   // default ":6443"
	Advertise                 string   // address in kubeconfigs and the certificate; default: the host's first global address
	EtcdEndpoints             []string // empty: embedded etcd under Home/etcd
	EtcdCA, EtcdCert, EtcdKey string
	PodCIDR                   string // default 10.42.0.0/16, one /24 a node (node.spec.podCIDR, given by the node controller)
	Mounts                    []Mount
	Version                   string // Leme's own, e.g. "0.1.0"
}

// Mount is a handler that main adds under a prefix (the embedded registry at /v2/): behind the same TLS and authentication.
type Mount struct {
	Prefix  string
	Handler http.Handler
}

// Server is the master: etcd, store, API, controllers, scheduler, in one errgroup.
type Server struct{}

// New prepares pki, kubeconfig and listeners; nothing runs yet.
func New(c Config) (*Server, error) { panic("contract") }

// Run serves until ctx ends or a part fails.
func (s *Server) Run(ctx context.Context) error { panic("contract") }

// Ready is closed once the API answers.
func (s *Server) Ready() <-chan struct{} { panic("contract") }
