package rest

import (
	"net/url"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// streams maps the API's names of a session's streams to the agent's, which are the kubelet's.
var streams = []struct{ api, agent string }{
	{"stdin", "input"}, {"stdout", "output"}, {"stderr", "error"}, {"tty", "tty"},
}

func podExec(h *Handler, c *call) error {
	if len(c.query["command"]) == 0 {
		return apierrors.NewBadRequest("you must specify at least one command for the container")
	}
	return podStreams(h, c, "exec", url.Values{"command": c.query["command"]})
}

func podAttach(h *Handler, c *call) error {
	return podStreams(h, c, "attach", url.Values{})
}

// podStreams connects the client with a container's streams.
func podStreams(h *Handler, c *call, verb string, query url.Values) error {
	wanted := false
	for _, s := range streams {
		if isTrue(c.query, s.api) {
			query.Set(s.agent, "1")
			wanted = wanted || s.api != "tty"
		}
	}
	if !wanted {
		return apierrors.NewBadRequest("you must specify at least 1 of stdin, stdout, stderr")
	}
	pod, err := h.placed(c)
	if err != nil {
		return err
	}
	container, err := chooseContainer(pod, c.query.Get("container"))
	if err != nil {
		return err
	}
	to, err := h.agents.location(pod.Spec.NodeName, agentPath(verb, pod, container), query)
	if err != nil {
		return err
	}
	h.forward(c, to, h.agents.transport, true)
	return nil
}

// podPortForward connects the client with ports of a pod. Which ones is told inside the connection, or in the
// parameters where it is a WebSocket of the first version.
func podPortForward(h *Handler, c *call) error {
	pod, err := h.placed(c)
	if err != nil {
		return err
	}
	query := url.Values{}
	if ports := c.query["ports"]; len(ports) > 0 {
		query["ports"] = ports
	}
	to, err := h.agents.location(pod.Spec.NodeName, "/portForward/"+pod.Namespace+"/"+pod.Name, query)
	if err != nil {
		return err
	}
	h.forward(c, to, h.agents.transport, true)
	return nil
}
