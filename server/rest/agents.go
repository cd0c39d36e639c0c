package rest

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"leme/server/resource"
)

// agentPort is where a node's agent listens that does not say it.
const agentPort = 10250

const dialTimeout = 10 * time.Second

var (
	nodes = schema.GroupResource{Resource: "nodes"}
	pods  = schema.GroupResource{Resource: "pods"}
)

// agents are the ways to the nodes' agents. An agent's address is https://NODE:PORT: its certificate must carry the
// node's name and be the cluster's own; where NODE is, is looked up when it is dialed.
type agents struct {
	api       *resource.API
	transport *http.Transport // to agents
	direct    *http.Transport // to pods
}

func newAgents(api *resource.API, config *tls.Config) *agents {
	a := &agents{api: api}
	dialer := net.Dialer{Timeout: dialTimeout}
	a.transport = &http.Transport{
		TLSClientConfig:     config,
		TLSHandshakeTimeout: dialTimeout,
		IdleConnTimeout:     time.Minute,
		MaxIdleConnsPerHost: 4,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			name, port, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			host, err := a.address(name)
			if err != nil {
				return nil, err
			}
			return dialer.DialContext(ctx, network, net.JoinHostPort(host, port))
		},
	}
	a.direct = &http.Transport{
		DialContext: dialer.DialContext, IdleConnTimeout: time.Minute, DisableCompression: true,
		// Nobody the cluster knows has signed what a pod serves with: whoever asks for https: gets no more than encryption.
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}
	return a
}

func (a *agents) close() {
	a.transport.CloseIdleConnections()
	a.direct.CloseIdleConnections()
}

func (a *agents) node(name string) (*corev1.Node, error) {
	it := a.api.Store().Snapshot(nodes).Get("", name)
	if it == nil {
		return nil, apierrors.NewNotFound(nodes, name)
	}
	obj, err := it.Object()
	if err != nil {
		return nil, err
	}
	node, ok := obj.(*corev1.Node)
	if !ok {
		return nil, fmt.Errorf("node %s is a %T", name, obj)
	}
	return node, nil
}

// address is the IP at which a node is reached.
func (a *agents) address(name string) (string, error) {
	node, err := a.node(name)
	if err != nil {
		return "", err
	}
	for _, want := range []corev1.NodeAddressType{corev1.NodeInternalIP, corev1.NodeExternalIP, corev1.NodeHostName} {
		for _, address := range node.Status.Addresses {
			if address.Type == want && address.Address != "" {
				return address.Address, nil
			}
		}
	}
	return "", apierrors.NewServiceUnavailable(fmt.Sprintf("node %s has no address yet", name))
}

// location is a path at a node's agent.
func (a *agents) location(nodeName, path string, query url.Values) (*url.URL, error) {
	node, err := a.node(nodeName)
	if err != nil {
		return nil, err
	}
	port := int(node.Status.DaemonEndpoints.KubeletEndpoint.Port)
	if port == 0 {
		port = agentPort
	}
	return &url.URL{
		Scheme: "https", Host: net.JoinHostPort(nodeName, strconv.Itoa(port)), Path: path, RawQuery: query.Encode(),
	}, nil
}
