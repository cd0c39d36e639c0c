package speed

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// The windows and sizes that Go's HTTP/2 client, and with it client-go, tells a server.
const (
	streamWindow = 4 << 20
	connWindow   = 1 << 30
	firstWindow  = 65535 // of a connection, before anybody says otherwise
	readBuffer   = 64 << 10
)

// conn is a client that costs next to nothing, so that what is measured is the server: one HTTP/2 connection, on which
// one answer at a time, or several watches, are counted and thrown away.
type conn struct {
	tls    *tls.Conn
	out    *bufio.Writer
	frames *http2.Framer
	header bytes.Buffer
	encode *hpack.Encoder
	host   string
	stream uint32            // of the next request
	send   int64             // how much the server takes on the connection
	owed   map[uint32]uint32 // what the windows of streams have shrunk by; 0 is the connection's
}

func dial(ctx context.Context, s *server) (*conn, error) {
	config := s.tls.Clone()
	config.NextProtos = []string{"h2"}
	raw, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", s.address)
	if err != nil {
		return nil, err
	}
	c := &conn{tls: raw.(*tls.Conn), out: bufio.NewWriter(raw), host: s.address, send: firstWindow, stream: 1, owed: map[uint32]uint32{}}
	c.frames = http2.NewFramer(c.out, bufio.NewReaderSize(raw, readBuffer))
	c.frames.SetReuseFrames()
	c.frames.ReadMetaHeaders = hpack.NewDecoder(4<<10, nil)
	c.encode = hpack.NewEncoder(&c.header)
	if _, err := io.WriteString(c.out, http2.ClientPreface); err != nil {
		return nil, err
	}
	if err := c.frames.WriteSettings(
		http2.Setting{ID: http2.SettingEnablePush, Val: 0},
		http2.Setting{ID: http2.SettingInitialWindowSize, Val: streamWindow}); err != nil {
		return nil, err
	}
	if err := c.frames.WriteWindowUpdate(0, connWindow); err != nil {
		return nil, err
	}
	return c, c.out.Flush() // servers do not wait long for it
}

func (c *conn) close() { c.tls.Close() }

// request is what a row asks.
type request struct {
	method, path string
	accept       string
	contentType  string
	gzip         bool
	body         []byte
}

// do sends a request and reads its whole answer. It gives the answer's size as it came over the wire.
func (c *conn) do(r request) (size int64, err error) {
	err = c.ask(r, func(payload []byte) error {
		size += int64(len(payload))
		return nil
	})
	return size, err
}

// get reads an object.
func (c *conn) get(path string) (body []byte, err error) {
	err = c.ask(request{method: http.MethodGet, path: path, accept: asJSON}, func(payload []byte) error {
		body = append(body, payload...)
		return nil
	})
	return body, err
}

// ask sends a request and gives its whole answer piece by piece. What is no success is an error.
func (c *conn) ask(r request, payload func([]byte) error) error {
	if err := c.begin(r); err != nil {
		return err
	}
	status, err := c.read(payload)
	if err == nil && status >= http.StatusBadRequest {
		err = fmt.Errorf("%s %s: %d", r.method, r.path, status)
	}
	return err
}

// begin sends a request.
func (c *conn) begin(r request) error {
	stream := c.stream
	c.stream += 2
	c.header.Reset()
	field := func(name, value string) {
		if value != "" {
			_ = c.encode.WriteField(hpack.HeaderField{Name: name, Value: value}) // a buffer takes everything
		}
	}
	field(":authority", c.host)
	field(":method", r.method)
	field(":path", r.path)
	field(":scheme", "https")
	field("accept", r.accept)
	if r.gzip {
		field("accept-encoding", "gzip")
	}
	field("content-type", r.contentType)
	if len(r.body) > 0 {
		field("content-length", strconv.Itoa(len(r.body)))
	}
	field("user-agent", "speed")
	if err := c.frames.WriteHeaders(http2.HeadersFrameParam{
		StreamID: stream, BlockFragment: c.header.Bytes(), EndHeaders: true, EndStream: len(r.body) == 0,
	}); err != nil {
		return err
	}
	if len(r.body) > 0 {
		for c.send < int64(len(r.body)) {
			if err := c.out.Flush(); err != nil {
				return err
			}
			if _, err := c.next(); err != nil {
				return err
			}
		}
		c.send -= int64(len(r.body))
		if err := c.frames.WriteData(stream, true, r.body); err != nil {
			return err
		}
	}
	return c.out.Flush()
}

// read takes in what comes until the end of an answer.
func (c *conn) read(payload func([]byte) error) (status int, err error) {
	for {
		f, err := c.next()
		if err != nil {
			return status, err
		}
		switch f := f.(type) {
		case *http2.MetaHeadersFrame:
			if status, err = strconv.Atoi(f.PseudoValue("status")); err != nil {
				return status, err
			}
		case *http2.DataFrame:
			if err := payload(f.Data()); err != nil {
				return status, err
			}
			if err := c.refill(f); err != nil {
				return status, err
			}
		default:
			continue
		}
		if f.Header().Flags.Has(http2.FlagDataEndStream) {
			delete(c.owed, f.Header().StreamID)
			return status, nil
		}
	}
}

// refill gives a stream and the connection their windows back when half of them is used.
func (c *conn) refill(f *http2.DataFrame) error {
	c.owed[f.StreamID] += f.Length
	c.owed[0] += f.Length
	if c.owed[f.StreamID] >= streamWindow/2 && !f.StreamEnded() {
		if err := c.grow(f.StreamID); err != nil {
			return err
		}
	}
	if c.owed[0] >= connWindow/2 {
		return c.grow(0)
	}
	return nil
}

func (c *conn) grow(stream uint32) error {
	if err := c.frames.WriteWindowUpdate(stream, c.owed[stream]); err != nil {
		return err
	}
	c.owed[stream] = 0
	return c.out.Flush()
}

// next reads a frame, and does what those ask for that are not the request's own.
func (c *conn) next() (http2.Frame, error) {
	f, err := c.frames.ReadFrame()
	if err != nil {
		return nil, err
	}
	switch f := f.(type) {
	case *http2.SettingsFrame:
		if !f.IsAck() {
			err = c.frames.WriteSettingsAck()
		}
	case *http2.PingFrame:
		if !f.IsAck() {
			err = c.frames.WritePing(true, f.Data)
		}
	case *http2.WindowUpdateFrame:
		if f.StreamID == 0 {
			c.send += int64(f.Increment)
		}
	case *http2.GoAwayFrame:
		err = fmt.Errorf("the server ends the connection: %s", f.ErrCode)
	case *http2.RSTStreamFrame:
		err = fmt.Errorf("the server ends the request: %s", f.ErrCode)
	}
	if err == nil && c.out.Buffered() > 0 && f.Header().Type != http2.FrameData {
		err = c.out.Flush()
	}
	return f, err
}
