package nodeapi_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"

	"leme/nodeagent/docker/dockertest"
)

// What listens on localhost in a pod is reached through both of kubectl's ways, many times over one session.
func TestPortForward(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	id := n.run(t, n.Pod("web", "serve", "127.0.0.1:8080"))
	dockertest.Eventually(t, func() bool {
		_, code, err := n.Exec(t.Context(), id, []string{"/app", "get", "http://127.0.0.1:8080/"})
		return err == nil && code == 0
	})
	server := n.server(t)
	u := sessionURL(server, "/portForward/default/web", url.Values{})
	for name, dialer := range map[string]func() (httpstream.Dialer, error){
		"spdy": func() (httpstream.Dialer, error) {
			transport, upgrader, err := spdy.RoundTripperFor(server)
			return spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, u), err
		},
		"tunnel": func() (httpstream.Dialer, error) {
			return portforward.NewSPDYOverWebsocketDialerForStreaming(u, server)
		},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := dialer()
			must(t, err)
			port, stop, ended := forward(t, d, "0:8080")
			for range 5 {
				if answer := fetch(port); answer != "hello from web\n" {
					t.Errorf("got %q", answer)
				}
			}
			stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			port, _, ended = forward(t, d, "0:9") // nobody listens there, and then kubectl gives up
			if answer := fetch(port); !strings.HasPrefix(answer, "error") {
				t.Errorf("a port where nobody listens answered %q", answer)
			}
			if err := <-ended; !errors.Is(err, portforward.ErrLostConnectionToPod) {
				t.Error(err)
			}
		})
	}
}

// forward forwards a port as kubectl does until it is stopped or fails; ended tells how that went.
func forward(t *testing.T, d httpstream.Dialer, port string) (local uint16, stop func(), ended <-chan error) {
	t.Helper()
	stopping, ready := make(chan struct{}), make(chan struct{})
	f, err := portforward.NewForStreaming(d, []string{port}, stopping, ready, io.Discard, io.Discard)
	must(t, err)
	outcome := make(chan error, 1)
	go func() { outcome <- f.ForwardPorts() }()
	select {
	case <-ready:
	case err := <-outcome:
		t.Fatal(err)
	}
	ports, err := f.GetPorts()
	must(t, err)
	return ports[0].Local, func() { close(stopping) }, outcome
}

func fetch(port uint16) string {
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := c.Get(fmt.Sprintf("http://127.0.0.1:%d/", port))
	if err != nil {
		return "error: " + err.Error()
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "error: " + err.Error()
	}
	return string(body)
}
