package command

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func newClusterInfo(e Env) *cobra.Command {
	c := &cobra.Command{
		Use:   "cluster-info",
		Short: "Show where the cluster, its nodes and its services are",
		Long: "Show the addresses of the control plane and of the nodes, and where the registry, the metrics and the " +
			"dashboard are.\n\n`leme cluster-info dump` writes out everything that helps to find a fault.",
		Example: `  # Where things are
  leme cluster-info

  # All objects and logs, for a report
  leme cluster-info dump --output-directory=/tmp/cluster`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return showCluster(c.Context(), e) },
	}
	c.AddCommand(newDump(e))
	return c
}

func showCluster(ctx context.Context, e Env) error {
	config, err := e.Factory.ToRESTConfig()
	if err != nil {
		return reported(err)
	}
	client, err := e.Factory.KubernetesClientSet()
	if err != nil {
		return reported(err)
	}
	server, err := client.Discovery().ServerVersion()
	if err != nil {
		return reported(err)
	}
	nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return reported(err)
	}
	return write(e.Streams.Out, clusterText(config.Host, server.GitVersion, nodes.Items), nil)
}

// clusterText lays out what is known of the cluster at host.
func clusterText(host, release string, nodes []corev1.Node) string {
	host = strings.TrimSuffix(host, "/")
	var text bytes.Buffer
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "Control plane\t%s\t%s\n", host, release)
	fmt.Fprintf(w, "Registry\t%s/v2/\timages: leme image ls\n", host)
	fmt.Fprintf(w, "Metrics\t%s/metrics\tPrometheus\n", host)
	fmt.Fprintf(w, "Dashboard\thttp://127.0.0.1:8001/ui\twhile `leme proxy` runs\n")
	for _, n := range nodes {
		fmt.Fprintf(w, "Node %s\t%s\t%s, %s\n", n.Name, address(n), readiness(n), n.Status.NodeInfo.KubeletVersion)
	}
	if len(nodes) == 0 {
		fmt.Fprintf(w, "Nodes\tnone\tadd this host: leme agent\n")
	}
	_ = w.Flush() // into memory
	return text.String()
}

// address is where a node is reached from outside, or else inside, the cluster.
func address(n corev1.Node) string {
	byType := map[corev1.NodeAddressType]string{}
	for _, a := range n.Status.Addresses {
		byType[a.Type] = cmp.Or(byType[a.Type], a.Address)
	}
	return cmp.Or(byType[corev1.NodeExternalIP], byType[corev1.NodeInternalIP], byType[corev1.NodeHostName], "no address")
}

func readiness(n corev1.Node) string {
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady {
			if c.Status == corev1.ConditionTrue {
				return "Ready"
			}
			return "NotReady (" + cmp.Or(c.Message, c.Reason, "no reason given") + ")"
		}
	}
	return "NotReady (never reported)"
}
