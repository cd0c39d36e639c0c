package storetest

import (
	"io"
	"net"
	"sync"
	"testing"
)

// Proxy stands between a store and one member of its etcd, so that a test can cut the line.
type Proxy struct {
	listener net.Listener
	target   string
	running  sync.WaitGroup

	mu    sync.Mutex
	down  bool
	lines map[net.Conn]bool
}

// NewProxy passes connections on to an address until the test ends.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{listener: l, target: target, lines: map[net.Conn]bool{}}
	p.running.Go(p.accept)
	t.Cleanup(func() {
		l.Close()
		p.Cut(true)
		p.running.Wait()
	})
	return p
}

// Addr is where to connect instead of the target.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Cut breaks all connections off; with down, new ones too until Mend.
func (p *Proxy) Cut(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
	for c := range p.lines {
		c.Close()
	}
	clear(p.lines)
}

// Mend lets connections through again.
func (p *Proxy) Mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = false
}

func (p *Proxy) accept() {
	for {
		in, err := p.listener.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", p.target)
		if err != nil || !p.keep(in, out) {
			in.Close()
			continue
		}
		p.running.Go(func() { pass(in, out) })
		p.running.Go(func() { pass(out, in) })
	}
}

// keep notes a line's two ends; false, and both closed, when the proxy is down.
func (p *Proxy) keep(in, out net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		out.Close()
		return false
	}
	p.lines[in], p.lines[out] = true, true
	return true
}

func pass(from, to net.Conn) {
	_, _ = io.Copy(to, from) // an end that is cut is no news
	from.Close()
	to.Close()
}
