package rest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// logParameters go on to the agent as they are.
var logParameters = []string{"follow", "previous", "sinceSeconds", "sinceTime", "timestamps", "tailLines", "limitBytes", "stream"}

// maxAgentError is how much of an agent's error is read, in bytes.
const maxAgentError = 64 << 10

// podLog answers with a container's log as its node's agent gives it, as it comes.
func podLog(h *Handler, c *call) error {
	query, err := logQuery(c.query)
	if err != nil {
		return err
	}
	pod, err := h.placed(c)
	if err != nil {
		return err
	}
	container, err := chooseContainer(pod, c.query.Get("container"))
	if err != nil {
		return err
	}
	to, err := h.agents.location(pod.Spec.NodeName, agentPath("containerLogs", pod, container), query)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(c.r.Context())
	defer cancel()
	defer context.AfterFunc(h.life, cancel)()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, to.String(), nil)
	if err != nil {
		return err
	}
	passTrace(ctx, request.Header)
	response, err := h.agents.transport.RoundTrip(request)
	if err != nil {
		return unreachable(pod.Spec.NodeName, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return agentError(response)
	}
	header := c.w.Header()
	header.Set("Content-Type", "text/plain")
	header.Set("Cache-Control", "no-cache, private")
	c.w.WriteHeader(http.StatusOK)
	c.w.Flush()
	copyFlushing(c.w, response.Body)
	return nil
}

// logQuery checks the parameters as Kubernetes does.
func logQuery(in url.Values) (url.Values, error) {
	out := url.Values{}
	for _, name := range logParameters {
		if in.Has(name) {
			out.Set(name, in.Get(name))
		}
	}
	for name, least := range map[string]int64{"sinceSeconds": 1, "tailLines": 0, "limitBytes": 1} {
		if !out.Has(name) {
			continue
		}
		if n, err := strconv.ParseInt(out.Get(name), 10, 64); err != nil || n < least {
			return nil, invalidLogOption(fmt.Sprintf("%s: Invalid value: %q: must be a number of at least %d", name, out.Get(name), least))
		}
	}
	if out.Has("sinceTime") {
		if _, err := time.Parse(time.RFC3339, out.Get("sinceTime")); err != nil {
			return nil, invalidLogOption(fmt.Sprintf("sinceTime: Invalid value: %q: must be a time as in RFC 3339", out.Get("sinceTime")))
		}
		if out.Has("sinceSeconds") {
			return nil, invalidLogOption("at most one of `sinceTime` or `sinceSeconds` may be specified")
		}
	}
	return out, nil
}

func invalidLogOption(text string) error {
	return apierrors.NewBadRequest("PodLogOptions is invalid: " + text)
}

// copyFlushing passes bytes on as they come.
func copyFlushing(w *recorder, r io.Reader) {
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Read(buf)
		if n > 0 {
			if _, werr := w.Write(buf[:n]); werr != nil {
				return
			}
			w.Flush()
		}
		if err != nil {
			return
		}
	}
}

// agentError is an agent's plain text answer as a Status.
func agentError(r *http.Response) error {
	raw, _ := io.ReadAll(io.LimitReader(r.Body, maxAgentError))
	text := strings.TrimSpace(string(raw))
	switch {
	case text == "":
	case r.StatusCode == http.StatusBadRequest:
		return apierrors.NewBadRequest(text)
	case r.StatusCode >= http.StatusInternalServerError:
		return apierrors.NewInternalError(errors.New(text))
	}
	err := apierrors.NewGenericServerResponse(r.StatusCode, "get", schema.GroupResource{}, "", text, 0, false)
	if text != "" {
		err.ErrStatus.Message = text
	}
	return err
}

func unreachable(node string, err error) error {
	var known apierrors.APIStatus
	if errors.As(err, &known) || errors.Is(err, context.Canceled) {
		return err
	}
	return apierrors.NewServiceUnavailable(fmt.Sprintf("the agent of node %s cannot be reached: %v", node, err))
}
