package h2

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// request makes an http.Request of a header block. What RFC 9113 calls malformed is an error of the stream.
func (c *conn) request(ctx context.Context, st *stream, f *http2.MetaHeadersFrame) (*http.Request, error) {
	malformed := http2.StreamError{StreamID: f.StreamID, Code: http2.ErrCodeProtocol}
	header, ok := headerOf(f.RegularFields())
	target := target{
		method: f.PseudoValue("method"), scheme: f.PseudoValue("scheme"), path: f.PseudoValue("path"),
		authority: f.PseudoValue("authority"),
	}
	if target.authority == "" {
		target.authority = header.Get("Host")
	}
	header.Del("Host")
	location, good := target.url()
	if (!ok || !good) && !f.Truncated {
		return nil, malformed
	}
	if location == nil {
		location = &url.URL{}
	}
	r := &http.Request{
		Method: target.method, URL: location, RequestURI: target.path, Host: target.authority,
		Proto: "HTTP/2.0", ProtoMajor: 2,
		Header: header, Trailer: announced(header), Body: http.NoBody, RemoteAddr: c.remote, TLS: c.state,
	}
	if target.method == http.MethodConnect {
		r.RequestURI = target.authority
	}
	r = r.WithContext(ctx)
	if !takeBody(st, r, f.StreamEnded()) {
		return nil, malformed
	}
	return r, nil
}

// target is what the pseudo-header fields ask for.
type target struct{ method, scheme, path, authority string }

func (t target) url() (*url.URL, bool) {
	if t.method == http.MethodConnect {
		return &url.URL{Host: t.authority}, t.path == "" && t.scheme == "" && t.authority != ""
	}
	if t.method == "" || t.path == "" || t.scheme != "https" && t.scheme != "http" {
		return nil, false
	}
	if !httpguts.ValidHostHeader(t.authority) {
		return nil, false
	}
	u, err := url.ParseRequestURI(t.path)
	return u, err == nil
}

// ofConnections are header fields that HTTP/2 has other means for.
var ofConnections = []string{"connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade"}

// headerOf is false for what may not be in a request.
func headerOf(fields []hpack.HeaderField) (http.Header, bool) {
	header := make(http.Header, len(fields))
	values := make([]string, 0, len(fields)) // one allocation for most of them
	good := true
	for _, f := range fields {
		if slices.Contains(ofConnections, f.Name) || f.Name == "te" && f.Value != "trailers" {
			good = false
		}
		name := http.CanonicalHeaderKey(f.Name)
		switch had := header[name]; {
		case had == nil:
			values = append(values, f.Value)
			header[name] = values[len(values)-1 : len(values) : len(values)]
		case name == "Cookie":
			had[0] += "; " + f.Value // HTTP/2 may split what HTTP has in one
		default:
			header[name] = append(had, f.Value)
		}
	}
	return header, good
}

// announced is the trailers that a request says it will have.
func announced(header http.Header) http.Header {
	var trailer http.Header
	for _, v := range header["Trailer"] {
		for name := range strings.SplitSeq(v, ",") {
			name = http.CanonicalHeaderKey(strings.TrimSpace(name))
			if httpguts.ValidTrailerHeader(name) {
				if trailer == nil {
					trailer = http.Header{}
				}
				trailer[name] = nil
			}
		}
	}
	header.Del("Trailer")
	return trailer
}

// takeBody gives a request its body. It is false where the size is wrong already.
func takeBody(st *stream, r *http.Request, ended bool) bool {
	declared := int64(-1)
	if sizes := r.Header["Content-Length"]; len(sizes) > 0 {
		n, err := strconv.ParseUint(sizes[0], 10, 63)
		if err != nil || slices.ContainsFunc(sizes, func(s string) bool { return s != sizes[0] }) {
			return false
		}
		declared = int64(n)
	}
	expects := httpguts.HeaderValuesContainsToken(r.Header["Expect"], "100-continue")
	if expects {
		r.Header.Del("Expect")
	}
	if ended {
		return declared <= 0
	}
	st.body = &body{st: st, receive: inflow{open: receiveOne}, declared: declared, expects: expects, request: r}
	r.Body, r.ContentLength = st.body, declared
	return true
}
