package rest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// The server asks agents to make and remove the directories of the volumes that are on their nodes.

// longestAnswer is how much is read of what an agent says of a volume, in bytes.
const longestAnswer = 8 << 10

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
	answer, err := a.ask(ctx, method, node, "/volumes/"+volume)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, longestAnswer))
	if err != nil {
		return nil, fmt.Errorf("reading the answer of node %s: %w", node, err)
	}
	return body, nil
}
