package docker

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/moby/moby/client"
)

// InWords gives an error of the engine as people are to read it, in the events and the status of a pod: without the
// socket, the request and the layers of programs below the engine. What it is and wraps stays as it was; an error that is
// not the engine's is given back as it is.
func InWords(err error) error {
	var told *inWords
	if errors.As(err, &told) {
		return err
	}
	for said := range chain(err) {
		if words := wordsFor(said); words != "" {
			return &inWords{strings.Replace(err.Error(), said.Error(), words, 1), err}
		}
	}
	return err
}

// plainly is InWords for the error that a function returns.
func plainly(err *error) { *err = InWords(*err) }

type inWords struct {
	words string
	error
}

func (e *inWords) Error() string { return e.words }
func (e *inWords) Unwrap() error { return e.error }

// chain is an error and all that it wraps, from the outside in, but for those that wrap several.
func chain(err error) iter.Seq[error] {
	return func(yield func(error) bool) { walk(err, yield) }
}

func walk(err error, yield func(error) bool) bool {
	if err == nil {
		return true
	}
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		return !slices.ContainsFunc(several.Unwrap(), func(one error) bool { return !walk(one, yield) })
	}
	return yield(err) && walk(errors.Unwrap(err), yield)
}

// wordsFor says what the engine said, or why it was not reached; empty for an error that is not itself of that kind,
// whatever it wraps.
func wordsFor(err error) string {
	if reason, ok := strings.CutPrefix(err.Error(), "Error response from daemon: "); ok {
		return reword(reason)
	}
	inner := errors.Unwrap(err)
	var request *url.Error
	var line *net.OpError
	switch {
	case client.IsErrConnectionFailed(err) && !client.IsErrConnectionFailed(inner),
		errors.As(err, &request) && !errors.As(inner, &request),
		errors.As(err, &line) && line.Net == "unix" && !errors.As(inner, &line),
		inner == nil && brokeOff(err):
		return unreached(err)
	}
	return ""
}

// unreached says why the engine was not reached.
func unreached(err error) string {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "the container engine did not answer in time"
	case brokeOff(err):
		return "the container engine broke off before it had answered"
	case strings.HasPrefix(err.Error(), "permission denied"), errors.Is(err, fs.ErrPermission):
		return "the agent may not speak to the container engine"
	}
	return "the container engine does not answer"
}

// brokeOff says whether a line was cut.
func brokeOff(err error) bool {
	for _, cut := range []error{io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, cut) {
			return true
		}
	}
	return false
}

// rewordings are what engines say, and how it is told; the first that matches counts.
var rewordings = []struct {
	says *regexp.Regexp
	told string
}{
	{regexp.MustCompile(`^(?s:.*)unable to start container process: (?:error during container init: )?(.+?)(?:: unknown)?$`), "$1"},
	{regexp.MustCompile(`^(?s:.*)OCI runtime (?:create|start) failed: (?:runc (?:create|start) failed: )?(?:container_linux\.go:\d+: starting container process caused: )?(.+?)(?:: unknown)?$`), "$1"},
	{regexp.MustCompile(`^(?s:.*)Bind for \S*?:(\d+) failed: port is already allocated$`), "port $1 of the host is already taken by another container"},
	{regexp.MustCompile(`^(?s:.*)(?:listen|starting userland proxy:.*) (tcp|udp|sctp)[46]? \S*?:(\d+): bind: address already in use$`), "port $2/$1 of the host is already taken"},
	{regexp.MustCompile(`^Conflict\. The container name "/?([^"]+)" is already in use(?s:.*)$`), "there is a container $1 already"},
	{regexp.MustCompile(`^(?s:.*)cannot join network of a non running container(?s:.*)$`), "the pod's sandbox has ended"},
	{regexp.MustCompile(`^(?s:.*)No such container: \S+$`), "the container is not there any more"},
	{regexp.MustCompile(`^(?s:.*)No such image: (\S+)$`), "image $1 is not on the node any more"},
	{regexp.MustCompile(`^network (\S+) not found$`), "the engine has no network $1"},
	{regexp.MustCompile(`^invalid mount config for type "bind": bind source path does not exist: (.+)$`), "$1 is to be mounted, and does not exist"},
	{regexp.MustCompile(`^(?s:.*)no space left on device$`), "the engine has no space left on its disk"},
	{regexp.MustCompile(`^(?s:.*)[Uu]nknown runtime specified (.+)$`), "the engine has no runtime $1"},
	{regexp.MustCompile(`^Container \S+ is not running$`), "the container is not running"},
}

// reword tells what an engine says. What is not known is told as it is.
func reword(reason string) string {
	for _, r := range rewordings {
		if r.says.MatchString(reason) {
			return r.says.ReplaceAllString(reason, r.told)
		}
	}
	return reason
}
