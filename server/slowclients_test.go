package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// slowClients is how many there are of each sort, and slowClientBytes what one may cost this process, which holds both
// ends of its connection.
const (
	slowClients     = 700
	slowClientBytes = 150 << 10
)

// TestSlowClients: clients that say little, or nothing, keep neither memory nor others' answers, and are sent away.
func TestSlowClients(t *testing.T) {
	s, kubeconfig := start(t)
	config := clientConfig(t, kubeconfig)
	client := kubernetes.NewForConfigOrDie(config)
	before := memory()
	var all []net.Conn
	for _, sort := range []struct {
		what, says string
		encrypted  bool
	}{
		{what: "says nothing"},
		{what: "sends half a header", says: "GET /api HTTP/1.1\r\nHost: x\r\n", encrypted: true},
		{what: "sends little of a body", says: "POST /api/v1/namespaces/default/configmaps HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{", encrypted: true},
	} {
		conns, err := slowConns(t.Context(), s.listener.Addr().String(), config, sort.says, sort.encrypted)
		all = append(all, conns...)
		if err != nil {
			t.Fatalf("a client that %s: %v", sort.what, err)
		}
	}
	defer func() {
		for _, c := range all {
			c.Close()
		}
	}()
	for range 100 {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		_, err := client.CoreV1().ConfigMaps("").List(ctx, metav1.ListOptions{Limit: 1})
		cancel()
		if err != nil {
			t.Fatalf("others are not served: %v", err)
		}
	}
	if grown, most := int64(memory())-int64(before), int64(len(all)*slowClientBytes); grown > most {
		t.Errorf("%d slow clients cost %d bytes, more than %d", len(all), grown, most)
	}
	if err := sentAway(t.Context(), all[:2*slowClients]); err != nil {
		t.Errorf("a slow client stays: %v", err)
	}
}

// slowConns opens connections and says on each what is to be said.
func slowConns(ctx context.Context, address string, config *rest.Config, says string, encrypted bool) ([]net.Conn, error) {
	t, err := rest.TLSConfigFor(config)
	if err != nil {
		return nil, err
	}
	if t.ServerName, _, err = net.SplitHostPort(address); err != nil {
		return nil, err
	}
	conns := make([]net.Conn, slowClients)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(50)
	for i := range conns {
		group.Go(func() error {
			conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
			if err == nil && encrypted {
				conn = tls.Client(conn, t)
			}
			if err != nil {
				return err
			}
			conns[i] = conn
			_, err = io.WriteString(conn, says)
			return err
		})
	}
	err = group.Wait()
	return slices.DeleteFunc(conns, func(c net.Conn) bool { return c == nil }), err
}

// sentAway waits until the server has ended every connection.
func sentAway(ctx context.Context, conns []net.Conn) error {
	group, _ := errgroup.WithContext(ctx)
	for _, c := range conns {
		group.Go(func() error {
			if err := c.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
				return err
			}
			var timeout net.Error
			if n, err := io.Copy(io.Discard, c); errors.As(err, &timeout) && timeout.Timeout() {
				return fmt.Errorf("after %d bytes: %w", n, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// memory is what the heap and the stacks take, in bytes, after a collection.
func memory() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}
