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
	held  chan struct{} // closed when the bytes may go on; nil while nothing is held
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
		p.Release()
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

// Hold keeps everything back that comes from now on, until Release: the line lags, and neither end notices.
func (p *Proxy) Hold() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held == nil {
		p.held = make(chan struct{})
	}
}

// Release lets go what was held.
func (p *Proxy) Release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held != nil {
		close(p.held)
		p.held = nil
	}
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
		p.running.Go(func() { p.pass(in, out) })
		p.running.Go(func() { p.pass(out, in) })
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

func (p *Proxy) pass(from, to net.Conn) {
	_, _ = io.Copy(gated{to, p}, from) // an end that is cut is no news
	from.Close()
	to.Close()
}

// gated writes when nothing is held.
type gated struct {
	io.Writer
	proxy *Proxy
}

func (g gated) Write(b []byte) (int, error) {
	g.proxy.mu.Lock()
	held := g.proxy.held
	g.proxy.mu.Unlock()
	if held != nil {
		<-held
	}
	return g.Writer.Write(b)
}
