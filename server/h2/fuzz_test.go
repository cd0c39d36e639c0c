package h2

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// FuzzConn: whatever a client says after the preface, the connection ends once the client has said all, and nothing
// panics.
func FuzzConn(f *testing.F) {
	var seed bytes.Buffer
	frames, enc := http2.NewFramer(&seed, nil), headerEncoder{}
	enc.init()
	for _, field := range [][2]string{{":method", "POST"}, {":scheme", "https"}, {":authority", "h2"}, {":path", "/"}, {"content-length", "3"}} {
		enc.field(field[0], field[1])
	}
	for _, err := range []error{
		frames.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 7}),
		frames.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: enc.block.Bytes(), EndHeaders: true}),
		frames.WriteDataPadded(1, true, []byte("abc"), []byte{0, 0}),
		frames.WriteWindowUpdate(1, 9), frames.WriteWindowUpdate(0, 9), frames.WritePing(false, farewell),
		frames.WriteRSTStream(1, http2.ErrCodeCancel), frames.WriteGoAway(1, http2.ErrCodeNo, nil),
	} {
		if err != nil {
			f.Fatal(err)
		}
	}
	f.Add(seed.Bytes())
	s := serve(f, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
		w.Header().Set(http.TrailerPrefix+"Sum", "1")
	}, nil)
	f.Fuzz(func(t *testing.T, said []byte) {
		raw, err := net.Dial("tcp", s.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer raw.Close()
		conn := tls.Client(raw, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
		if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(append([]byte(http2.ClientPreface), said...)); err != nil {
			return // it was sent away in the middle
		}
		if err := conn.CloseWrite(); err != nil {
			return
		}
		if _, err = io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("the connection stays")
		}
	})
}

// FuzzRequest: what becomes of a header block is a request that a handler can rely on, or an error.
func FuzzRequest(f *testing.F) {
	f.Add("GET", "https", "h2", "/a?b=c", "cookie", "a=1", true)
	f.Add("CONNECT", "", "h2:443", "", "te", "trailers", false)
	f.Add("POST", "http", "", "*", "content-length", "7", false)
	f.Fuzz(func(t *testing.T, method, scheme, authority, path, name, value string, ended bool) {
		fields := []hpack.HeaderField{{Name: ":method", Value: method}, {Name: ":scheme", Value: scheme}, {Name: ":authority", Value: authority}, {Name: ":path", Value: path}}
		if name != "" && name[0] != ':' {
			fields = append(fields, hpack.HeaderField{Name: name, Value: value}, hpack.HeaderField{Name: name, Value: value})
		}
		head := http2.FrameHeader{Type: http2.FrameHeaders, StreamID: 1}
		if ended {
			head.Flags = http2.FlagHeadersEndStream
		}
		frame := &http2.MetaHeadersFrame{HeadersFrame: &http2.HeadersFrame{FrameHeader: head}, Fields: fields}
		c := &conn{}
		st := newStream(c, 1, func() {})
		r, err := c.request(t.Context(), st, frame)
		if err != nil {
			return
		}
		switch {
		case r.URL == nil, r.Method != method, r.Body == nil, r.Header == nil, r.Header.Get("Host") != "":
			t.Errorf("%+v", r)
		case ended != (r.Body == http.NoBody), r.ContentLength < -1:
			t.Errorf("a body of %d bytes, the stream's end: %t", r.ContentLength, ended)
		}
	})
}
