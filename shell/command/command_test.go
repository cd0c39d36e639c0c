package command

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

func TestOwnName(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"kubectl get pods", "leme get pods"},
		{"use 'kubectl get'; kubectl, \"kubectl\".", "use 'leme get'; leme, \"leme\"."},
		{"read by kubectl.", "read by leme."},
		{"https://kubernetes.io/docs/reference/kubectl/jsonpath", "https://kubernetes.io/docs/reference/kubectl/jsonpath"},
		{"kubectl.kubernetes.io/last-applied-configuration", "kubectl.kubernetes.io/last-applied-configuration"},
		{"kubectl-client-side-apply", "kubectl-client-side-apply"},
		{"kubectl kubectl kubectl", "leme leme leme"},
	} {
		if got := OwnName(c.text); got != c.want {
			t.Errorf("OwnName(%q) = %q, want %q", c.text, got, c.want)
		}
	}
}

func TestSentence(t *testing.T) {
	for _, c := range []struct{ message, want string }{
		{"", ""},
		{"pods not found\n", "error: pods not found"},
		{"error: x", "error: x"},
		{"Error from server (NotFound): pods \"x\" not found", "Error from server (NotFound): pods \"x\" not found"},
		{"The connection to the server localhost:8080 was refused - did you specify the right host or port?",
			"error: no cluster is configured: start one with `leme up`, or name a kubeconfig with --kubeconfig or $KUBECONFIG"},
		{"The connection to the server 10.0.0.1:6443 was refused - did you specify the right host or port?",
			"error: the cluster at 10.0.0.1:6443 is not running (connection refused): start it with `leme up`, or choose another with --context or --kubeconfig"},
		{"Unable to connect to the server: i/o timeout", "error: the cluster does not answer: i/o timeout"},
		{`error: error validating "a.yaml": error validating data: failed to check CRD: failed to list CRDs: not there; if you choose to ignore`,
			"error: \"a.yaml\" holds an object of a kind that the server does not have: `leme api-resources` lists those it has"},
	} {
		if got := sentence(c.message); got != c.want {
			t.Errorf("sentence(%q)\n got %q\nwant %q", c.message, got, c.want)
		}
	}
}

func TestVerb(t *testing.T) {
	root, _ := newRoot(t.Context(), Options{Streams: genericiooptions.NewTestIOStreamsDiscard()})
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"get", "pods"}, "get"},
		{[]string{"-n", "web", "get"}, "get"},
		{[]string{"-nweb", "get"}, "get"},
		{[]string{"--namespace=web", "get"}, "get"},
		{[]string{"--context", "x", "--v", "6", "get"}, "get"},
		{[]string{"--insecure-skip-tls-verify", "get"}, "get"},
		{[]string{"--", "get"}, ""},
		{[]string{"-h"}, ""},
		{nil, ""},
	} {
		if got, _ := verb(root.PersistentFlags(), c.args); got != c.want {
			t.Errorf("%q: got %q, want %q", c.args, got, c.want)
		}
	}
}

func TestParseTarget(t *testing.T) {
	for _, c := range []struct {
		args []string
		want Target
		ok   bool
	}{
		{[]string{"web"}, Target{Namespace: "web"}, true},
		{[]string{"ns", "ctx"}, Target{Namespace: "ctx"}, true},
		{[]string{"ctx", "x"}, Target{Context: "x"}, true},
		{[]string{"-"}, Target{Back: true}, true},
		{[]string{"ctx"}, Target{}, false},
		{[]string{"a", "b"}, Target{}, false},
		{nil, Target{}, false},
	} {
		if got, err := parseTarget(c.args); got != c.want || (err == nil) != c.ok {
			t.Errorf("%q: got %+v, %v", c.args, got, err)
		}
	}
}

// TestList holds that every command of the list can be built, explains itself and is named once.
func TestList(t *testing.T) {
	root := Root(Options{Streams: genericiooptions.NewTestIOStreamsDiscard()})
	seen := map[string]bool{}
	for _, e := range Commands(Parts{}) {
		c, _, err := root.Find([]string{e.Name})
		if err != nil || c.Name() != e.Name {
			t.Errorf("%s: built %v, %v", e.Name, c.Name(), err)
			continue
		}
		if c.Short == "" || c.Long+c.Example == "" && e.Name != "options" {
			t.Errorf("%s does not explain itself", e.Name)
		}
		for _, name := range append([]string{e.Name}, e.Aliases...) {
			if seen[name] {
				t.Errorf("%s is there twice", name)
			}
			seen[name] = true
		}
	}
}

func TestClusterText(t *testing.T) {
	node := corev1.Node{}
	node.Name = "n1"
	node.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "10.0.0.1"}, {Type: corev1.NodeExternalIP, Address: "1.2.3.4"}}
	node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionUnknown, Message: "no heartbeat"}}
	node.Status.NodeInfo.KubeletVersion = "v1.37.2"
	want := `Control plane  https://h:6443            v1
Registry       https://h:6443/v2/        images: leme image ls
Metrics        https://h:6443/metrics    Prometheus
Dashboard      http://127.0.0.1:8001/ui  while ` + "`leme proxy`" + ` runs
Node n1        1.2.3.4                   NotReady (no heartbeat), v1.37.2
`
	if got := clusterText("https://h:6443/", "v1", []corev1.Node{node}); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
