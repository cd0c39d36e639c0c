package pull

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"golang.org/x/sync/errgroup"
)

const (
	// maxTries is how often in a row a segment may fail without one new byte.
	maxTries = 6
	// firstWait is the pause after the first of these failures; each next one is twice as long.
	firstWait = 250 * time.Millisecond
	// stallAfter ends a connection that brings less than stallBytes in that time.
	stallAfter = 30 * time.Second
	stallBytes = 4 << 10
	// longestWait bounds how long a registry can ask to be left alone.
	longestWait = time.Minute
)

var (
	errNoRanges = errors.New("the registry knows no ranges")
	errAnswer   = errors.New("unexpected answer")
	errStalled  = errors.New("the connection brings next to nothing")
)

// fetch downloads one layer.
type fetch struct {
	blobs   blobSource
	layer   layer
	gate    *gate // the pull's connections
	rank    int   // among the layers of the pull
	traffic *traffic
	conns   int
	wait    time.Duration // firstWait
	stall   time.Duration // stallAfter
	log     *slog.Logger
}

// run brings what is missing of the layer: in segments over several connections, or in one stream from a server that
// knows no ranges.
func (f *fetch) run(ctx context.Context, p *partial, watch func(n int64)) error {
	err := f.segments(ctx, p, watch)
	if errors.Is(err, errNoRanges) {
		p.split(max(1, p.size))
		err = f.segments(ctx, p, watch)
	}
	return err
}

func (f *fetch) segments(ctx context.Context, p *partial, watch func(n int64)) error {
	group, ctx := errgroup.WithContext(ctx)
	for range min(f.conns, len(p.got)) {
		group.Go(func() error {
			for {
				if err := f.gate.enter(ctx, f.rank); err != nil {
					return err
				}
				i, ok := p.next()
				if !ok {
					f.gate.leave()
					return nil
				}
				err := f.segment(ctx, p, i, watch)
				p.release(i)
				f.gate.leave()
				if err != nil {
					return err
				}
			}
		})
	}
	return group.Wait()
}

// segment brings one segment, going on where a connection broke. The count of failures starts again with every byte.
func (f *fetch) segment(ctx context.Context, p *partial, i int, watch func(n int64)) error {
	for failures := 0; ; {
		before, end := p.missing(i)
		if before == end {
			return nil
		}
		err := f.attempt(ctx, p, i, watch)
		after, _ := p.missing(i)
		switch {
		case after == end:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case final(err):
			return err
		case after > before && !errors.Is(err, errStalled):
			failures = 0
		default:
			failures++
		}
		f.log.Debug("a layer's connection broke", "layer", f.layer.digest, "at", after, "failures", failures, "err", err)
		if failures >= maxTries {
			return fmt.Errorf("%w: layer %s: %w", ErrNetwork, f.layer.digest, err)
		}
		if failures > 0 {
			select {
			case <-time.After(max(f.wait<<(failures-1), wanted(err))):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

// final reports whether trying again is of no use.
func final(err error) bool {
	var answer *transport.Error
	if errors.As(err, &answer) {
		return !answer.Temporary()
	}
	return errors.Is(err, errNoRanges) || errors.Is(err, errAnswer)
}

// attempt makes one request for what is missing of a segment and writes what comes.
func (f *fetch) attempt(ctx context.Context, p *partial, i int, watch func(n int64)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stall := time.AfterFunc(f.stall, func() { cancel(errStalled) })
	defer stall.Stop()
	fresh := 0
	from, end := p.missing(i)
	body, skip, err := f.request(ctx, from, end, len(p.got) == 1)
	if err != nil {
		return causeOf(ctx, err)
	}
	defer body.Close()
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	for {
		n, err := body.Read(*buf)
		if n > 0 {
			if fresh += n; fresh >= stallBytes {
				stall.Reset(f.stall)
				fresh = 0
			}
			f.traffic.add(n)
			missed := (*buf)[min(int64(n), skip):n]
			skip -= int64(n - len(missed))
			if err := p.write(i, missed); err != nil {
				return err
			}
			watch(p.here())
		}
		if errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF // attempt is only asked while something is missing; segment looks again
		}
		if err != nil {
			return causeOf(ctx, err)
		}
	}
}

// buffers hold what is between the connection and the file.
var buffers = sync.Pool{New: func() any { b := make([]byte, 128<<10); return &b }}

// causeOf prefers the reason for which a request was ended over the words of its end.
func causeOf(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// request asks for the bytes from up to end. Where that is the rest of the whole layer, a server may send all of it;
// skip is then how many bytes come first that are here already.
func (f *fetch) request(ctx context.Context, from, end int64, whole bool) (body io.ReadCloser, skip int64, err error) {
	repo := f.blobs.repo
	url := fmt.Sprintf("%s://%s/v2/%s/blobs/%s", repo.Scheme(), repo.RegistryStr(), repo.RepositoryStr(), f.layer.digest)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, 0, err
	}
	if from > 0 || !whole {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", from, end-1))
	}
	resp, err := f.blobs.client.Do(req)
	if err != nil {
		return nil, 0, err
	}
	if skip, err = accept(resp, from, end, whole); err != nil {
		resp.Body.Close()
		return nil, 0, err
	}
	return resp.Body, skip, nil
}

// busyError is an answer that asks for a pause.
type busyError struct {
	error
	wait time.Duration
}

func (e *busyError) Unwrap() error { return e.error }

// wanted is the pause that a registry asks for, within bounds.
func wanted(err error) time.Duration {
	var busy *busyError
	if !errors.As(err, &busy) {
		return 0
	}
	return min(busy.wait, longestWait)
}

// retryAfter reads a header: seconds, or a date.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(header); err == nil {
		return time.Duration(min(max(0, seconds), int(longestWait/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// accept judges the answer to a request.
func accept(resp *http.Response, from, end int64, whole bool) (skip int64, err error) {
	if err := transport.CheckError(resp, http.StatusOK, http.StatusPartialContent); err != nil {
		if wait := retryAfter(resp.Header.Get("Retry-After"), time.Now()); wait > 0 {
			return 0, &busyError{err, wait}
		}
		return 0, err
	}
	if resp.StatusCode == http.StatusOK {
		if !whole {
			return 0, errNoRanges
		}
		return from, nil
	}
	var first, last int64
	given := resp.Header.Get("Content-Range")
	if _, err := fmt.Sscanf(given, "bytes %d-%d", &first, &last); err != nil || first != from || last != end-1 {
		return 0, fmt.Errorf("%w: asked for bytes %d-%d, got %q", errAnswer, from, end-1, given)
	}
	return 0, nil
}
