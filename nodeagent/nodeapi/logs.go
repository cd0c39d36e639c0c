package nodeapi

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// logs writes a container's log as it comes; following ends when the container has or the client goes.
func (s *Server) logs(w http.ResponseWriter, r *http.Request) {
	o, err := logOptions(r.URL.Query())
	if err != nil {
		writeError(w, err)
		return
	}
	id, _, err := s.container(r, o.Previous)
	if err != nil {
		writeError(w, err)
		return
	}
	out := &flusher{w: w, control: http.NewResponseController(w)}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if o.Follow {
		out.Write(nil) //nolint:errcheck // the headers; a client that went away ends the reading
	}
	if err := s.Runtime.Logs(r.Context(), id, o, out, out); err != nil && r.Context().Err() == nil {
		s.Logger.Debug("reading a container's log", "container", id, "error", err)
		if !out.wrote {
			w.Header().Del("Content-Type")
			writeError(w, apierrors.NewInternalError(err))
		}
	}
}

// flusher sends each write on at once.
type flusher struct {
	w       http.ResponseWriter
	control *http.ResponseController
	wrote   bool
}

func (f *flusher) Write(p []byte) (int, error) {
	f.wrote = true
	n, err := f.w.Write(p)
	if err == nil {
		err = f.control.Flush()
	}
	return n, err
}

// logOptions reads a request's options and checks them as Kubernetes checks PodLogOptions.
func logOptions(q url.Values) (corev1.PodLogOptions, error) {
	switch tail := q.Get("tail"); tail { // the older name of tailLines
	case "":
	case "all":
		q.Del("tailLines")
	default:
		q.Set("tailLines", tail)
	}
	p := parameters{Values: q}
	o := corev1.PodLogOptions{
		Follow:       p.flag("follow"),
		Previous:     p.flag("previous"),
		Timestamps:   p.flag("timestamps"),
		TailLines:    p.number("tailLines", 0),
		SinceSeconds: p.number("sinceSeconds", 1),
		LimitBytes:   p.number("limitBytes", 1),
		SinceTime:    p.time("sinceTime"),
	}
	if o.SinceSeconds != nil && o.SinceTime != nil {
		p.fail("sinceTime", q.Get("sinceTime"), "at most one of `sinceTime` or `sinceSeconds` may be specified")
	}
	if stream := q.Get("stream"); stream != "" {
		o.Stream = &stream
		switch stream {
		case corev1.LogStreamAll, corev1.LogStreamStdout, corev1.LogStreamStderr:
		default:
			p.fail("stream", stream, "must be All, Stdout or Stderr")
		}
	}
	if len(p.failures) > 0 {
		return o, apierrors.NewInvalid(corev1.SchemeGroupVersion.WithKind("PodLogOptions").GroupKind(), "", p.failures)
	}
	return o, nil
}

// parameters reads typed values out of a query and collects what is wrong with them.
type parameters struct {
	url.Values
	failures field.ErrorList
}

func (p *parameters) fail(name, value, why string) {
	p.failures = append(p.failures, field.Invalid(field.NewPath(name), value, why))
}

func (p *parameters) flag(name string) bool {
	text := p.Get(name)
	if text == "" {
		return false
	}
	v, err := strconv.ParseBool(text)
	if err != nil {
		p.fail(name, text, "must be true or false")
	}
	return v
}

func (p *parameters) number(name string, least int64) *int64 {
	text := p.Get(name)
	if text == "" {
		return nil
	}
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil || v < least {
		p.fail(name, text, "must be a number of at least "+strconv.FormatInt(least, 10))
	}
	return &v
}

func (p *parameters) time(name string) *metav1.Time {
	text := p.Get(name)
	if text == "" {
		return nil
	}
	v, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		p.fail(name, text, "must be a time as in RFC 3339")
	}
	return &metav1.Time{Time: v}
}
