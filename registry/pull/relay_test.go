package pull

import (
	"context"
	"io"
	"net"
	"testing"

	"golang.org/x/time/rate"
)

// relay is a slow line: it bounds the bytes a second of each connection, and those of all together. Zero is no bound.
type relay struct {
	connection, all int
}

// before serves what host serves, over the slow line.
func (r relay) before(t testing.TB, host string) string {
	t.Helper()
	if r == (relay{}) {
		return host
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { l.Close() })
	all := limiter(r.all)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go pass(conn, host, all, limiter(r.connection))
		}
	}()
	return l.Addr().String()
}

// slice is what a line passes on at a time.
const slice = 16 << 10

func limiter(bytesPerSecond int) *rate.Limiter {
	if bytesPerSecond == 0 {
		return rate.NewLimiter(rate.Inf, slice)
	}
	return rate.NewLimiter(rate.Limit(bytesPerSecond), 4*slice)
}

// pass connects conn with host until either hangs up.
func pass(conn net.Conn, host string, limits ...*rate.Limiter) {
	defer conn.Close()
	up, err := net.Dial("tcp", host)
	if err != nil {
		return
	}
	defer up.Close()
	go func() {
		_, _ = io.Copy(up, conn)
		up.Close()
	}()
	buf := make([]byte, slice)
	for {
		n, err := up.Read(buf)
		for _, l := range limits {
			if l.WaitN(context.Background(), n) != nil {
				return
			}
		}
		if _, failed := conn.Write(buf[:n]); err != nil || failed != nil {
			return
		}
	}
}
