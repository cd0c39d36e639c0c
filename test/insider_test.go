package test

import (
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"leme/nodeagent/docker/scratch"
)

// TestInsider runs a program that finds the API by itself in a pod, and may do what its service account is bound to.
func TestInsider(t *testing.T) {
	t.Parallel()
	c := ownCluster(t)
	listenToAll(c)
	must(t, c.up())
	program, err := built("leme/test/insider")
	must(t, err)
	image, err := scratch.Image(runtime.GOARCH, v1.Config{Entrypoint: []string{"/insider"}},
		scratch.File{Path: "insider", Mode: 0o755, Content: program})
	must(t, err)
	ref, err := c.push("insider", image)
	must(t, err)

	c.mustKubectl(t, "create", "serviceaccount", "reader")
	c.mustKubectl(t, "create", "role", "reader", "--verb=list", "--resource=pods")
	c.mustKubectl(t, "create", "rolebinding", "reader", "--role=reader", "--serviceaccount=default:reader")
	for _, tt := range []struct{ name, account, phase, says string }{
		{"allowed", "reader", "Succeeded", "allowed\n"},
		{"refused", "default", "Failed", `User "system:serviceaccount:default:default" cannot list resource "pods"`},
	} {
		c.mustKubectl(t, "run", tt.name, "--image="+ref, "--restart=Never",
			`--overrides={"spec":{"serviceAccountName":"`+tt.account+`"}}`)
		c.mustKubectl(t, "wait", "pod/"+tt.name, "--for=jsonpath={.status.phase}="+tt.phase, "--timeout=60s")
		if said := c.mustKubectl(t, "logs", tt.name); !strings.Contains(said, tt.says) {
			t.Errorf("%s said %s", tt.name, said)
		}
	}
}

// listenToAll has a cluster's server be reached from its pods, too: at the host's own address.
func listenToAll(c *cluster) {
	at := slices.Index(c.server, "--listen") + 1
	_, port, _ := net.SplitHostPort(c.server[at])
	c.server[at] = net.JoinHostPort("0.0.0.0", port)
	advertise := slices.Index(c.server, "--advertise")
	c.server = slices.Delete(c.server, advertise, advertise+2)
}
