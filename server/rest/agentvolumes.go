package rest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// The server asks agents to make and remove the directories of the volumes that are on their nodes.

// longestRefusal is how much of an agent's answer is told when it is not what was asked for, in bytes.
const longestRefusal = 1024

// MakeVolume lets a node's agent make the directory of a volume, and returns its path there.
func (h *Handler) MakeVolume(ctx context.Context, node, volume string) (string, error) {
	var made struct {
		Path string `json:"path"`
	}
	body, err := h.agents.askVolume(ctx, http.MethodPut, node, volume)
	if err != nil {
		return "", err
	}
	if err := json.Unmarshal(body, &made); err != nil {
		return "", fmt.Errorf("reading the answer of node %s: %w", node, err)
	}
	return made.Path, nil
}

// RemoveVolume lets a node's agent remove a volume with all that it holds.
func (h *Handler) RemoveVolume(ctx context.Context, node, volume string) error {
	_, err := h.agents.askVolume(ctx, http.MethodDelete, node, volume)
	return err
}

func (a *agents) askVolume(ctx context.Context, method, node, volume string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	location, err := a.location(node, "/volumes/"+volume, nil)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, method, location.String(), nil)
	if err != nil {
		return nil, err
	}
	answer, err := a.transport.RoundTrip(r)
	if err != nil {
		return nil, fmt.Errorf("asking node %s: %w", node, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, longestRefusal))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the answer of node %s: %w", node, err)
	case answer.StatusCode >= http.StatusBadRequest:
		return nil, fmt.Errorf("node %s answered %s: %s", node, answer.Status, strings.TrimSpace(string(body)))
	}
	return body, nil
}
