package command

import (
	"context"
	"io"
	"net/http"
)

// cancellable ends requests, and answers still being read, when ctx ends: kubectl's commands bring no context.
type cancellable struct {
	ctx  context.Context
	next http.RoundTripper
}

func (c cancellable) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(r.Context())
	stop := context.AfterFunc(c.ctx, func() { cancel(context.Cause(c.ctx)) })
	release := func() { stop(); cancel(nil) }
	response, err := c.next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		release()
		return nil, err
	}
	if _, upgraded := response.Body.(io.Writer); upgraded {
		return response, nil // a hijacked connection keeps its own type; it closes with its command
	}
	response.Body = releasing{response.Body, release}
	return response, nil
}

// WrappedRoundTripper lets client-go find the TLS configuration below.
func (c cancellable) WrappedRoundTripper() http.RoundTripper { return c.next }

type releasing struct {
	io.ReadCloser
	release func()
}

func (r releasing) Close() error {
	defer r.release()
	return r.ReadCloser.Close()
}

// stoppable makes writing fail once ctx has ended, so that Ctrl-C stops a long output too.
type stoppable struct {
	ctx context.Context
	io.Writer
}

func (w stoppable) Write(p []byte) (int, error) {
	if w.ctx.Err() != nil {
		return 0, context.Cause(w.ctx)
	}
	return w.Writer.Write(p)
}
