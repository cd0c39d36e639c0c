package rest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// AskAgent asks a node's agent for a path of its API. Whoever asks reads the answer and closes it.
func (h *Handler) AskAgent(ctx context.Context, node, path string) (io.ReadCloser, error) {
	answer, err := h.agents.ask(ctx, http.MethodGet, node, path)
	if err != nil {
		return nil, err
	}
	return answer.Body, nil
}

// longestRefusal is how much of an agent's answer is told when it is not what was asked for, in bytes.
const longestRefusal = 1024

// ask gives an agent's answer; a refusal is an error.
func (a *agents) ask(ctx context.Context, method, node, path string) (*http.Response, error) {
	location, err := a.location(node, path, nil)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, method, location.String(), nil)
	if err != nil {
		return nil, err
	}
	// What agents answer here is small. To compress it every few seconds each of them would keep a compressor, of 0.8 MB.
	r.Header.Set("Accept-Encoding", "identity")
	answer, err := a.transport.RoundTrip(r)
	if err != nil {
		return nil, fmt.Errorf("asking node %s: %w", node, err)
	}
	if answer.StatusCode < http.StatusBadRequest {
		return answer, nil
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, longestRefusal))
	if err != nil {
		return nil, fmt.Errorf("reading the answer of node %s: %w", node, err)
	}
	return nil, fmt.Errorf("node %s answered %s: %s", node, answer.Status, strings.TrimSpace(string(text)))
}
