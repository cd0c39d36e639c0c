package command

import (
	"github.com/spf13/cobra"
	"k8s.io/kubectl/pkg/cmd/proxy"
)

// newProxy is kubectl's proxy; the server's dashboard is one of the pages it passes on.
func newProxy(e Env) *cobra.Command {
	c := proxy.NewCmdProxy(e.Factory, e.Streams)
	c.Short = "Serve the API, and the dashboard at /ui, on this machine"
	c.Long = "Serve the cluster's API on this machine without credentials.\n\n" +
		"The dashboard is at http://127.0.0.1:8001/ui while the proxy runs.\n\n" + c.Long
	return c
}
