package speed

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"golang.org/x/sync/errgroup"

	"leme/server/auth"
	"leme/test/loopback"
)

// What the environment tells a program that is to be the bare server: where it listens, and where its certificate is.
const (
	bareAddress = "SPEED_BARE_ADDRESS"
	bareDir     = "SPEED_BARE_DIR"
)

// The bare server's event is as large as one of a pod here, and it writes at once what others would.
const (
	bareEvent = 3800     // bytes
	barePiece = 64 << 10 // bytes
)

func TestMain(m *testing.M) {
	if address := os.Getenv(bareAddress); address != "" {
		if err := serveBare(address, os.Getenv(bareDir)); err != nil {
			println(err.Error())
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// startBare starts a server that cannot be beaten: for each change it encrypts an event for all watches, and writes
// that, a goroutine for each processor. There are no objects, no etcd and no HTTP but for the frames.
func startBare(b *testing.B) *server {
	b.Helper()
	dir := b.TempDir()
	pki, err := auth.OpenPKI(dir, []string{"127.0.0.1"})
	if err != nil {
		b.Fatal(err)
	}
	cert, key, err := pki.Issue(auth.NodePrefix+"bare", nil, []string{"127.0.0.1"})
	if err != nil {
		b.Fatal(err)
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	if err := errors.Join(os.WriteFile(in("bare.crt"), cert, 0o600), os.WriteFile(in("bare.key"), key, 0o600)); err != nil {
		b.Fatal(err)
	}
	authorities := x509.NewCertPool()
	authorities.AppendCertsFromPEM(pki.CA())
	s := &server{name: least, address: loopback.Address(b), tls: &tls.Config{RootCAs: authorities, ServerName: "127.0.0.1"}}
	b.Setenv(bareAddress, s.address)
	b.Setenv(bareDir, dir)
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	s.process = run(b, dir, "bare", self)
	s.process.await(b, func(ctx context.Context) error {
		c, err := dial(ctx, s)
		if err == nil {
			c.close()
		}
		return err
	})
	return s
}

// bare is the server in its own process.
type bare struct {
	mu    sync.Mutex
	conns []*bareConn
	told  int // events
}

func serveBare(address, dir string) error {
	cert, err := tls.LoadX509KeyPair(filepath.Join(dir, "bare.crt"), filepath.Join(dir, "bare.key"))
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	s := &bare{}
	for {
		raw, err := l.Accept()
		if err != nil {
			return err
		}
		c := &bareConn{gathered: gathered{Conn: raw}}
		c.tls = tls.Server(&c.gathered, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{http2.NextProtoTLS}})
		go s.serve(c)
	}
}

// bareConn is a client's connection. Who writes holds mu.
type bareConn struct {
	mu       sync.Mutex
	gathered gathered
	tls      *tls.Conn
	watches  []bareWatch
}

type bareWatch struct {
	stream uint32
	told   int // the event that it has seen last
}

// bareRoom is where a goroutine puts what it is to write: the frames, and TLS's records of them.
type bareRoom struct{ frames, records []byte }

func (r *bareRoom) data(stream uint32, payload []byte, flags http2.Flags) {
	n := len(payload)
	r.frames = append(r.frames, byte(n>>16), byte(n>>8), byte(n), byte(http2.FrameData), byte(flags))
	r.frames = binary.BigEndian.AppendUint32(r.frames, stream)
	r.frames = append(r.frames, payload...)
}

// gathered writes what TLS makes in one piece.
type gathered struct {
	net.Conn
	hold bool
	buf  []byte
}

func (g *gathered) Write(p []byte) (int, error) {
	if !g.hold {
		return g.Conn.Write(p)
	}
	g.buf = append(g.buf, p...)
	return len(p), nil
}

// write sends all frames that there are.
func (c *bareConn) write(r *bareRoom) error {
	c.gathered.hold, c.gathered.buf = true, r.records[:0]
	_, err := c.tls.Write(r.frames)
	r.frames, r.records = r.frames[:0], c.gathered.buf
	c.gathered.hold, c.gathered.buf = false, nil
	if err == nil {
		_, err = c.gathered.Conn.Write(r.records)
	}
	return err
}

// serve answers requests: a watch is told of every change from now on, and a change is told.
func (s *bare) serve(c *bareConn) {
	defer c.tls.Close()
	if _, err := io.ReadFull(c.tls, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	in := http2.NewFramer(nil, c.tls)
	in.ReadMetaHeaders = hpack.NewDecoder(4<<10, nil)
	s.mu.Lock()
	s.conns = append(s.conns, c)
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.conns = slices.DeleteFunc(s.conns, func(other *bareConn) bool { return other == c })
	}()
	for {
		f, err := in.ReadFrame()
		if err != nil {
			return
		}
		request, ok := f.(*http2.MetaHeadersFrame)
		if !ok {
			continue
		}
		path := request.PseudoValue("path")
		switch _, after, watches := strings.Cut(path, "watch=true&resourceVersion="); {
		case watches:
			err = s.watch(c, request.StreamID, after)
		case request.PseudoValue("method") == "PATCH":
			if err = s.tell(); err == nil {
				err = c.answer(request.StreamID, 0)
			}
		default:
			s.mu.Lock()
			told := s.told
			s.mu.Unlock()
			err = c.answer(request.StreamID, told)
		}
		if err != nil {
			return
		}
	}
}

// watch tells of what has come after an event, and of what comes.
func (s *bare) watch(c *bareConn, stream uint32, after string) error {
	told, err := strconv.Atoi(after)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.watches = append(c.watches, bareWatch{stream, told})
	c.mu.Unlock()
	s.mu.Lock()
	now := s.told // whatever comes after it is told to this watch too
	s.mu.Unlock()
	if now == told {
		return nil
	}
	return c.tell(now, &bareRoom{})
}

// answer says that all is well, and what a list of nothing is.
func (c *bareConn) answer(stream uint32, revision int) error {
	var header, frame bytes.Buffer
	_ = hpack.NewEncoder(&header).WriteField(hpack.HeaderField{Name: ":status", Value: "200"}) // a buffer takes everything
	err := http2.NewFramer(&frame, nil).WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: header.Bytes(), EndHeaders: true})
	if err != nil {
		return err
	}
	r := bareRoom{frames: frame.Bytes()}
	r.data(stream, fmt.Appendf(nil, `{"metadata":{"resourceVersion":"%d"}}`, revision), http2.FlagDataEndStream)
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.write(&r)
}

// tell sends an event to all watches.
func (s *bare) tell() error {
	s.mu.Lock()
	s.told++
	told, conns := s.told, slices.Clone(s.conns)
	s.mu.Unlock()
	var next atomic.Int64
	var group errgroup.Group
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() error {
			r := bareRooms.Get().(*bareRoom)
			defer bareRooms.Put(r)
			for i := next.Add(1) - 1; int(i) < len(conns); i = next.Add(1) - 1 {
				if err := conns[i].tell(told, r); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

var (
	bareRooms = sync.Pool{New: func() any { return &bareRoom{} }}
	event     = append(bytes.Repeat([]byte("x"), bareEvent-1), '\n')
)

// tell sends the watches of a connection the events that they have not seen.
func (c *bareConn) tell(told int, r *bareRoom) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.watches {
		for w := &c.watches[i]; w.told < told; w.told++ {
			if r.data(w.stream, event, 0); len(r.frames) >= barePiece {
				if err := c.write(r); err != nil {
					return err
				}
			}
		}
	}
	if len(r.frames) == 0 {
		return nil
	}
	return c.write(r)
}
