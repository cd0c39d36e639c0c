package command

import (
	"regexp"
	"strings"
)

// rewordings turn messages of the client library that leave a user without a next step into ones that name it; the
// first that matches wins.
func rewordings() []rewording {
	return []rewording{
		{`^The connection to the server localhost:8080 was refused.*`,
			"error: no cluster is configured: start one with `leme up`, or name a kubeconfig with --kubeconfig or $$KUBECONFIG"},
		{`^The connection to the server (\S+) was refused.*`,
			"error: the cluster at $1 is not running (connection refused): start it with `leme up`, or choose another with --context or --kubeconfig"},
		{`^Unable to connect to the server: (.*)`,
			"error: the cluster does not answer: $1"},
		{`^error: You must be logged in to the server \((.*)\)`,
			"error: the server does not accept these credentials ($1): check --kubeconfig, --context and --token"},
		{`^error: error validating (".*"): error validating data: failed to check CRD: .*`,
			"error: $1 holds an object of a kind that the server does not have: `leme api-resources` lists those it has"},
		{`^error: failed to create autoscaling/v2 HPA .*: empty input`,
			`error: the server doesn't have a resource type "horizontalpodautoscalers"`},
	}
}

type rewording struct{ match, say string }

// sentence is a message as the user sees it: it begins with what kind of error it is, and speaks of this program.
func sentence(message string) string {
	message = strings.TrimRight(message, "\n")
	if message == "" {
		return ""
	}
	for _, r := range rewordings() {
		if re := regexp.MustCompile(r.match); re.MatchString(message) {
			return re.ReplaceAllString(message, r.say)
		}
	}
	message = OwnName(message)
	if strings.HasPrefix(message, "error: ") || strings.HasPrefix(message, "Error from server") {
		return message
	}
	return "error: " + message
}
