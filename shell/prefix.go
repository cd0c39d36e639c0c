package shell

import (
	"fmt"
	"strings"

	"github.com/c-bata/go-prompt"
	"github.com/mattn/go-runewidth"

	"leme/shell/command"
)

// health is what the prompt shows of the cluster.
type health struct {
	Known       bool // something has been heard, good or bad
	Reachable   bool
	Counted     bool // the counts below are there
	Nodes       int
	NodesReady  int
	PodsWaiting int // pods that should be ready and are not
}

// prefix is the prompt's text, in the longest form that leaves the line at least half of the columns.
func prefix(scope command.Scope, h health, columns int) string {
	long := scope.Context + "/" + scope.Namespace
	state := h.String()
	for _, text := range []string{
		joined(long, state), joined(scope.Namespace, state),
		joined(scope.Namespace, strings.TrimPrefix(state, "cluster ")), joined(scope.Namespace, ""),
	} {
		if runewidth.StringWidth(text) <= columns/2 {
			return text
		}
	}
	return "> "
}

func joined(where, state string) string {
	if state == "" {
		return where + "> "
	}
	return where + " [" + state + "]> "
}

// String is empty as long as nothing is known.
func (h health) String() string {
	switch {
	case !h.Known:
		return ""
	case !h.Reachable:
		return "cluster unreachable"
	case !h.Counted:
		return ""
	}
	parts := []string{count(h.Nodes, "node")}
	if h.NodesReady < h.Nodes {
		parts[0] = fmt.Sprintf("%d/%s ready", h.NodesReady, count(h.Nodes, "node"))
	}
	if h.PodsWaiting > 0 {
		parts = append(parts, count(h.PodsWaiting, "pod")+" not ready")
	}
	return strings.Join(parts, ", ")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// colour is the prompt's: red when something is down, yellow when something is on its way.
func (h health) colour() prompt.Color {
	switch {
	case !h.Known:
		return prompt.Turquoise
	case !h.Reachable || (h.Counted && h.NodesReady < h.Nodes):
		return prompt.Red
	case h.PodsWaiting > 0 || (h.Counted && h.Nodes == 0):
		return prompt.Yellow
	}
	return prompt.Green
}
