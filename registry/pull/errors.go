package pull

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/moby/moby/client"
)

// What went wrong with a pull, for errors.Is. An error that is none of these came from this machine: the engine, the
// disk, a cancelled context.
var (
	ErrInvalidName = errors.New("invalid image name")
	ErrNotFound    = errors.New("image not found")
	ErrDenied      = errors.New("access denied")
	ErrNetwork     = errors.New("registry unreachable")
)

// Error is a failed pull.
type Error struct {
	Ref    string
	Kind   error  // one of the values above, or nil
	Reason string // one line, in the registry's own words where it has any
	err    error
}

func (e *Error) Error() string { return fmt.Sprintf("pulling %s: %s", e.Ref, e.Reason) }

// Unwrap gives the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Kind == nil {
		return []error{e.err}
	}
	return []error{e.Kind, e.err}
}

func newError(ref string, err error) *Error {
	reason, kind := classify(err)
	return &Error{Ref: ref, Kind: kind, Reason: oneLine(reason), err: err}
}

// classify finds the kind of an error and its shortest true wording.
func classify(err error) (reason string, kind error) {
	var answer *transport.Error
	var badName *name.ErrBadName
	var dns *net.DNSError
	var op *net.OpError
	var link *url.Error
	switch {
	case errors.Is(err, context.Canceled), client.IsErrConnectionFailed(err): // that one is the engine's line
		return err.Error(), nil
	case errors.As(err, &badName), errors.Is(err, ErrInvalidName):
		return err.Error(), ErrInvalidName
	case errors.As(err, &answer):
		return answerReason(answer), answerKind(answer)
	case errors.Is(err, ErrNotFound):
		return err.Error(), ErrNotFound
	case errors.As(err, &dns):
		return dns.Error(), ErrNetwork
	case errors.As(err, &op) && op.Net != "unix": // so is this
		return op.Error(), ErrNetwork
	case errors.As(err, &link):
		return fmt.Sprintf("%s: %v", hostOf(link.URL), link.Err), ErrNetwork
	case errors.Is(err, ErrNetwork):
		return err.Error(), ErrNetwork
	}
	return err.Error(), nil
}

// remoteFault reports whether something went wrong at a registry, so that another may do better.
func remoteFault(err error) bool {
	_, kind := classify(err)
	return kind != nil || errors.Is(err, errCorrupt) || errors.Is(err, errAnswer)
}

func answerKind(e *transport.Error) error {
	switch e.StatusCode {
	case http.StatusNotFound:
		return ErrNotFound
	case http.StatusUnauthorized, http.StatusForbidden:
		return ErrDenied
	case http.StatusTooManyRequests, http.StatusRequestTimeout:
		return ErrNetwork
	}
	if e.StatusCode >= 500 {
		return ErrNetwork
	}
	return nil
}

// answerReason is CODE: message, as the registry gave them.
func answerReason(e *transport.Error) string {
	host := ""
	if e.Request != nil {
		host = e.Request.URL.Host + ": "
	}
	if len(e.Errors) == 0 {
		return fmt.Sprintf("%s%d %s", host, e.StatusCode, http.StatusText(e.StatusCode))
	}
	d := e.Errors[0]
	if d.Message == "" {
		return host + string(d.Code)
	}
	return fmt.Sprintf("%s%s: %s", host, d.Code, d.Message)
}

func hostOf(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return "registry"
	}
	return u.Host
}

// oneLine keeps a foreign text from filling an event.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 500 {
		s = strings.ToValidUTF8(s[:500], "") + "…"
	}
	return s
}
