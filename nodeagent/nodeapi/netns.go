package nodeapi

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// dialTimeout bounds connecting to a port on a loopback address.
const dialTimeout = 10 * time.Second

// dialInNetworkOf connects to a port on the loopback addresses of a process's network namespace, so that what listens
// on localhost only is reached too, as kubectl port-forward promises.
//
// Entering the namespace takes a thread of its own, which is given up afterwards: its goroutine ends locked to it.
func dialInNetworkOf(ctx context.Context, pid int, port string) (net.Conn, error) {
	namespace, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", pid))
	if err != nil {
		return nil, fmt.Errorf("entering the pod's network: %w", err)
	}
	defer namespace.Close()
	type result struct {
		conn net.Conn
		err  error
	}
	done := make(chan result, 1)
	go func() {
		runtime.LockOSThread()
		if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- result{err: fmt.Errorf("entering the pod's network: %w", err)}
			return
		}
		conn, err := dialLoopback(ctx, port)
		done <- result{conn, err}
	}()
	r := <-done
	return r.conn, r.err
}

// dialLoopback tries IPv4 first. The addresses are literal: looking a name up would leave the calling thread.
func dialLoopback(ctx context.Context, port string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: dialTimeout}
	conn, err := dialer.DialContext(ctx, "tcp4", net.JoinHostPort("127.0.0.1", port))
	if err == nil {
		return conn, nil
	}
	if conn, err := dialer.DialContext(ctx, "tcp6", net.JoinHostPort("::1", port)); err == nil {
		return conn, nil
	}
	return nil, err
}
