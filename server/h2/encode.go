package h2

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// headerEncoder compresses header fields, in the order in which they are sent.
type headerEncoder struct {
	fields *hpack.Encoder
	block  bytes.Buffer
}

func (e *headerEncoder) init() {
	e.fields = hpack.NewEncoder(&e.block)
	e.fields.SetMaxDynamicTableSizeLimit(headerTable)
}

func (e *headerEncoder) field(name, value string) {
	_ = e.fields.WriteField(hpack.HeaderField{Name: name, Value: value}) // a buffer takes everything
}

// encode gives a header block, which is good until the next one. Status 0 is of trailers.
func (e *headerEncoder) encode(status int, h http.Header) []byte {
	e.block.Reset()
	if status != 0 {
		e.field(":status", strconv.Itoa(status))
	}
	for name, values := range h {
		name = lower(name)
		if !httpguts.ValidHeaderFieldName(name) || slices.Contains(ofConnections, name) {
			continue
		}
		for _, v := range values {
			if httpguts.ValidHeaderFieldValue(v) {
				e.field(name, v)
			}
		}
	}
	return e.block.Bytes()
}

// headers puts a header or trailers into the output. c.mu is held.
func (c *conn) headers(st *stream, status int, h http.Header, end bool) {
	block := c.header.encode(status, h)
	first := true
	for first || len(block) > 0 {
		part := block[:min(len(block), c.frame)]
		block = block[len(part):]
		var err error
		if first {
			err = c.frames.WriteHeaders(http2.HeadersFrameParam{
				StreamID: st.id, BlockFragment: part, EndStream: end, EndHeaders: len(block) == 0,
			})
		} else {
			err = c.frames.WriteContinuation(st.id, len(block) == 0, part)
		}
		if err != nil {
			c.fail(err)
			return
		}
		first = false
	}
	if end {
		c.endedHere(st)
	}
}

// inform tells the client something before the answer.
func (c *conn) inform(st *stream, status int, h http.Header) {
	if st.writable() == nil {
		c.headers(st, status, h, false)
		c.flush(nil)
	}
}

// complete adds to a header what handlers leave to their server. p is the beginning of the body, or all of it.
func (w *response) complete(p []byte, whole bool) {
	h := w.frozen
	if _, ok := h["Date"]; !ok {
		h["Date"] = []string{date()}
	}
	if h.Get("Connection") == "close" {
		w.st.conn.startDraining()
	}
	if !bodyAllowed(w.status) {
		return
	}
	if whole && w.size < 0 && (w.written > 0 || !w.head) && len(h["Trailer"]) == 0 {
		h["Content-Length"] = []string{strconv.FormatInt(w.written, 10)} // for p is all of it
	}
	if _, ok := h["Content-Type"]; !ok && len(p) > 0 && h.Get("Content-Encoding") == "" {
		h["Content-Type"] = []string{http.DetectContentType(p)}
	}
}

// today is the newest date that has been written.
var today atomic.Pointer[written]

type written struct {
	second int64
	text   string
}

// date is now, as headers have it.
func date() string {
	now := time.Now()
	if d := today.Load(); d != nil && d.second == now.Unix() {
		return d.text
	}
	d := &written{second: now.Unix(), text: now.UTC().Format(http.TimeFormat)}
	today.Store(d)
	return d.text
}

// lowered are the names that the API's answers have.
var lowered = func(names ...string) map[string]string {
	known := map[string]string{}
	for _, n := range names {
		known[n] = strings.ToLower(n)
	}
	return known
}("Audit-Id", "Cache-Control", "Content-Encoding", "Content-Length", "Content-Type", "Date", "Etag", "Last-Modified",
	"Location", "Retry-After", "Vary", "Warning", "Www-Authenticate")

func lower(name string) string {
	if l, ok := lowered[name]; ok {
		return l
	}
	return strings.ToLower(name)
}
