package command

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
)

// placement is the server's answer.
type placement struct {
	Namespace     string          `json:"namespace,omitempty"`
	Pod           string          `json:"pod"`
	SchedulerName string          `json:"schedulerName"`
	NodeName      string          `json:"nodeName,omitempty"`
	Message       string          `json:"message,omitempty"`
	Nodes         []placementNode `json:"nodes"`
}

type placementNode struct {
	Name     string `json:"name"`
	Refusals []struct {
		Plugin  string   `json:"plugin"`
		Reasons []string `json:"reasons"`
	} `json:"refusals,omitempty"`
	Scores []struct {
		Plugin string `json:"plugin"`
		Score  int64  `json:"score"`
		Weight int64  `json:"weight"`
	} `json:"scores,omitempty"`
	Total int64 `json:"total"`
	Best  bool  `json:"best,omitempty"`
}

type schedulerExplain struct {
	factory cmdutil.Factory
	streams genericiooptions.IOStreams
	file    string
	output  string
}

func newSchedulerExplain(f cmdutil.Factory, streams genericiooptions.IOStreams) *cobra.Command {
	o := schedulerExplain{factory: f, streams: streams}
	c := &cobra.Command{
		Use:   "explain (POD | -f FILE)",
		Short: "Show what each filter and score says of every node for a pod",
		Long: `Show what each filter and score says of every node for a pod: which refuse it there, in the words of its events,
and what the others are worth, 0 to 100 each times its weight.

The server decides with what it knows now. The pod itself does not count, so one that runs already is looked at as if it
were new. With -f the pod need not be there: it is sent as the server would make it, and nothing is kept. Of what has a
pod template (a Deployment, a Job) a pod of that is looked at. Whoever may list nodes may ask.`,
		Example: `  # Why does it wait?
  leme scheduler explain web-0

  # What makes the difference?
  leme scheduler explain web-0 -o wide

  # Where would it go?
  leme scheduler explain -f web.yaml`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args) },
	}
	c.Flags().StringVarP(&o.file, "filename", "f", "", "File with a pod, or with what has a pod template; - is the standard input.")
	c.Flags().StringVarP(&o.output, "output", "o", "", "Output format: json, yaml or wide.")
	return c
}

func (o schedulerExplain) run(ctx context.Context, args []string) error {
	if err := oneOfFormats(o.output, "", "wide", "json", "yaml"); err != nil {
		return err
	}
	if (len(args) == 0) == (o.file == "") {
		return fmt.Errorf("either a pod's name or -f FILE is needed")
	}
	pod, err := o.pod(ctx, args)
	if err != nil {
		return err
	}
	found, err := o.ask(ctx, pod)
	if err != nil {
		return err
	}
	switch o.output {
	case "json", "yaml":
		return printAs(o.streams.Out, o.output, found)
	}
	return found.print(o.streams.Out, o.output == "wide")
}

// pod is the one that is named, or that the file would make.
func (o schedulerExplain) pod(ctx context.Context, args []string) (*corev1.Pod, error) {
	client, err := o.factory.KubernetesClientSet()
	if err != nil {
		return nil, err
	}
	namespace, enforced, err := o.factory.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return nil, err
	}
	if len(args) == 1 {
		name := strings.TrimPrefix(strings.TrimPrefix(args[0], "pods/"), "pod/")
		return client.CoreV1().Pods(namespace).Get(ctx, name, metav1.GetOptions{})
	}
	pod, err := podFromFile(o.factory, o.file, namespace, enforced)
	if err != nil {
		return nil, err
	}
	return client.CoreV1().Pods(pod.Namespace).Create(ctx, pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
}

func (o schedulerExplain) ask(ctx context.Context, pod *corev1.Pod) (*placement, error) {
	client, err := o.factory.KubernetesClientSet()
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(pod)
	if err != nil {
		return nil, err
	}
	result := client.Discovery().RESTClient().Post().AbsPath("/scheduler/explain").SetHeader("Content-Type", "application/json").Body(body).Do(ctx)
	if err := result.Error(); err != nil {
		return nil, err
	}
	answer, err := result.Raw()
	if err != nil {
		return nil, err
	}
	found := &placement{}
	if err := json.Unmarshal(answer, found); err != nil {
		return nil, fmt.Errorf("reading the server's answer: %w", err)
	}
	slices.SortStableFunc(found.Nodes, func(a, b placementNode) int {
		return cmp.Or(cmp.Compare(len(a.Refusals), len(b.Refusals)), cmp.Compare(b.Total, a.Total), cmp.Compare(a.Name, b.Name))
	})
	return found, nil
}

// print writes the nodes that fit, the best first, then the others.
func (p *placement) print(out io.Writer, wide bool) error {
	name := p.Pod
	if p.Namespace != "" {
		name = p.Namespace + "/" + p.Pod
	}
	fmt.Fprintf(out, "Pod:        %s\nScheduler:  %s\n", name, p.SchedulerName)
	if p.NodeName != "" {
		fmt.Fprintf(out, "Node:       %s\n", p.NodeName)
	}
	if p.Message != "" {
		fmt.Fprintf(out, "Message:    %s\n", p.Message)
	}
	if len(p.Nodes) == 0 {
		return nil
	}
	plugins := p.plugins()
	if !wide {
		plugins = nil
	}
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 6, 4, 3, ' ', 0)
	fmt.Fprintln(w, strings.Join(append([]string{"NODE", "SCORE"}, append(plugins, "REFUSED BY")...), "\t"))
	for i := range p.Nodes {
		fmt.Fprintln(w, strings.Join(p.Nodes[i].cells(plugins), "\t"))
	}
	return w.Flush()
}

// plugins are those that give scores, with their weights, in the order of the server.
func (p *placement) plugins() []string {
	var all []string
	for _, n := range p.Nodes {
		for _, s := range n.Scores {
			if title := columnOf(s.Plugin, s.Weight); !slices.Contains(all, title) {
				all = append(all, title)
			}
		}
	}
	return all
}

func columnOf(plugin string, weight int64) string {
	return fmt.Sprintf("%s×%d", strings.ToUpper(plugin), weight)
}

func (n *placementNode) cells(plugins []string) []string {
	cells := []string{n.Name, "-"}
	if len(n.Refusals) == 0 {
		cells[1] = fmt.Sprint(n.Total)
		if n.Best {
			cells[1] += "*"
		}
	}
	for _, p := range plugins {
		cell := "-"
		for _, s := range n.Scores {
			if columnOf(s.Plugin, s.Weight) == p {
				cell = fmt.Sprint(s.Score)
			}
		}
		cells = append(cells, cell)
	}
	var refusals []string
	for _, r := range n.Refusals {
		refusals = append(refusals, r.Plugin+": "+strings.Join(r.Reasons, ", "))
	}
	return append(cells, strings.Join(refusals, "; "))
}
