package rest

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"sigs.k8s.io/yaml"
)

const (
	chunk   = 64 << 10  // bytes gathered before they are written
	gzipMin = 128 << 10 // bytes from which compressing is worth its time
)

// output gathers an answer in a pooled buffer and writes it on in chunks, compressed where that was agreed on.
// Append to buf, then call spill; close writes the rest.
type output struct {
	buf []byte
	w   io.Writer
	zip *gzip.Writer
	err error
}

var (
	buffers = sync.Pool{New: func() any { b := make([]byte, 0, chunk+chunk/2); return &b }}
	zippers = sync.Pool{New: func() any { z, _ := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed); return z }}
)

func newOutput(w io.Writer, compress bool) *output {
	o := &output{buf: (*buffers.Get().(*[]byte))[:0], w: w}
	if compress {
		o.zip = zippers.Get().(*gzip.Writer)
		o.zip.Reset(w)
		o.w = o.zip
	}
	return o
}

// spill writes what has gathered once it is a chunk. It is false when the client has gone.
func (o *output) spill() bool {
	if len(o.buf) >= chunk {
		o.flush()
	}
	return o.err == nil
}

func (o *output) flush() {
	if o.err == nil && len(o.buf) > 0 {
		_, o.err = o.w.Write(o.buf)
	}
	o.buf = o.buf[:0]
}

// close writes the rest and gives the buffers back. A client that has gone is no error of the server's.
func (o *output) close() {
	o.flush()
	if o.zip != nil {
		_ = o.zip.Close()
		zippers.Put(o.zip)
	}
	if cap(o.buf) <= 16*chunk { // one huge object must not stay in memory for good
		buffers.Put(&o.buf)
	}
}

// compress says whether an answer of about this size goes out compressed. Over the loopback it would only cost time.
func (c *call) compress(size int) bool {
	if size < gzipMin || !strings.Contains(c.r.Header.Get("Accept-Encoding"), "gzip") {
		return false
	}
	host, _, err := net.SplitHostPort(c.r.RemoteAddr)
	if err != nil {
		return true
	}
	ip := net.ParseIP(host)
	return ip == nil || !ip.IsLoopback()
}

// start writes the headers of an answer of about this size and gives where to put it.
func (c *call) start(code, size int) *output {
	compress := c.compress(size)
	return newOutput(c.begin(code, compress), compress)
}

// begin writes the headers of an answer and gives where its bytes go.
func (c *call) begin(code int, compressed bool) io.Writer {
	header := c.w.Header()
	header.Set("Content-Type", c.accept.contentType(false))
	header.Set("Cache-Control", "no-cache, private")
	if compressed {
		header.Set("Content-Encoding", "gzip")
		header.Add("Vary", "Accept-Encoding")
	}
	c.w.WriteHeader(code)
	if c.r.Method == http.MethodHead {
		return io.Discard
	}
	return c.w
}

// writeJSON answers with JSON that is whole already, in the form agreed on.
func (c *call) writeJSON(code int, raw []byte) {
	switch {
	case c.accept.format == formatYAML:
		converted, err := yaml.JSONToYAML(raw)
		if err == nil {
			raw = converted
		}
	case c.accept.pretty:
		var indented bytes.Buffer
		if json.Indent(&indented, raw, "", "  ") == nil {
			raw = append(indented.Bytes(), '\n')
		}
	}
	out := c.start(code, len(raw))
	defer out.close()
	out.buf = append(out.buf, raw...)
}

// direct says that JSON can be written piece by piece: nothing has to be done to it as a whole.
func (a accept) direct() bool { return a.format == formatJSON && !a.pretty }
