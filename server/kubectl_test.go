package server

import (
	"strings"
	"testing"
)

const hello = `
apiVersion: v1
kind: Pod
metadata:
  name: hello
  labels: {app: hello}
spec:
  containers:
  - name: web
    image: registry.leme/hello:1
`

func TestKubectl(t *testing.T) {
	_, kubeconfig := start(t)
	program := buildKubectl(t)
	for _, tt := range []struct {
		args  string
		stdin string
		want  string // a part of the output
		fails bool
	}{
		{args: "version", want: "Server Version: v1.37.2+leme-test"},
		{args: "get namespaces", want: "kube-node-lease   Active"},
		{args: "api-resources", want: "deployments"},
		{args: "api-versions", want: "coordination.k8s.io/v1"},
		{args: "create -f -", stdin: hello, want: "pod/hello created"},
		{args: "create -f -", stdin: hello, want: `pods "hello" already exists`, fails: true},
		{args: "apply -f -", stdin: strings.Replace(hello, "hello:1", "hello:2", 1), want: "pod/hello configured"},
		{args: "apply --server-side --force-conflicts -f -", stdin: strings.Replace(hello, "hello:1", "hello:3", 1), want: "serverside-applied"},
		{args: "get pods", want: "hello   0/1     Pending"},
		{args: "get pods -A -o wide", want: "NOMINATED NODE"},
		{args: "get pod hello -o yaml", want: "image: registry.leme/hello:3"},
		{args: "get pods -o jsonpath={.items[*].metadata.name}", want: "hello"},
		{args: "get pods -l app=nothing", want: "No resources found"},
		{args: "get pods --field-selector status.phase=Pending -o name", want: "pod/hello"},
		{args: "get pods --field-selector spec.nothing=1", want: "field label not supported", fails: true},
		{args: "label pod hello tier=front", want: "pod/hello labeled"},
		{args: "describe pod hello", want: "tier=front"},
		{args: "explain pod.spec.containers.image", want: "Container image name"},
		{args: "logs hello", want: "pod hello does not have a host assigned", fails: true},
		{args: "exec hello -- true", want: "pod hello does not have a host assigned", fails: true},
		{args: "auth whoami", want: "system:masters"},
		{args: "auth can-i delete nodes", want: "yes"},
		{args: "auth can-i --list", want: "*.*"},
		{args: "get pod nothing", want: `pods "nothing" not found`, fails: true},
		{args: "get nothings", want: `the server doesn't have a resource type "nothings"`, fails: true},
		{args: "get --raw /readyz?verbose", want: "[+]etcd ok"},
		{args: "get --raw /metrics", want: "apiserver_request_total"},
		{args: "create deployment web --image=registry.leme/hello:1", want: "deployment.apps/web created"},
		{args: "scale deployment web --replicas=2", want: "deployment.apps/web scaled"},
		{args: "get deployment web -o jsonpath={.spec.replicas}", want: "2"},
		{args: "get pods -w --request-timeout=2s", want: "0/1     Pending   0 "},
		{args: "wait --for=jsonpath={.status.phase}=Pending pod/hello --timeout=10s", want: "condition met"},
		{args: "delete pod hello", want: `pod "hello" deleted`},
		{args: "delete deployment web --cascade=foreground --timeout=20s", want: `deployment.apps "web" deleted`},
	} {
		out, err := kubectl(t, program, kubeconfig, tt.stdin, strings.Fields(tt.args)...)
		if (err != nil) != tt.fails || !strings.Contains(out, tt.want) {
			t.Errorf("kubectl %s: %v\n%s\nwant %q", tt.args, err, out, tt.want)
		}
	}
}
