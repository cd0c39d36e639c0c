package command

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/yaml"
)

// dumpPage is how many objects are asked for at a time, and dumpLog how much of a container's log is kept, in bytes.
const (
	dumpPage = 500
	dumpLog  = 10 << 20
)

type dumpOptions struct {
	env        Env
	directory  string
	namespaces []string
	all        bool
	client     kubernetes.Interface
	objects    dynamic.Interface
}

// newDump is `cluster-info dump`. It asks the server which kinds it has, where kubectl's own expects some.
func newDump(e Env) *cobra.Command {
	o := dumpOptions{env: e}
	c := &cobra.Command{
		Use:   "dump",
		Short: "Write out all objects and logs, to find a fault",
		Long: "Write out the objects of every kind the server has, and the logs of the pods: of the current namespace, " +
			"of kube-system, and of the cluster as a whole. Secrets are left out.",
		Example: `  # To the terminal
  leme cluster-info dump

  # Everything, one file a kind, into a directory
  leme cluster-info dump --all-namespaces --output-directory=/tmp/cluster`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return reported(o.run(c.Context())) },
	}
	c.Flags().StringVar(&o.directory, "output-directory", "", "Write files below this directory, and not to standard output.")
	c.Flags().StringSliceVar(&o.namespaces, "namespaces", nil, "Namespaces to write out (default: the current one and kube-system).")
	c.Flags().BoolVarP(&o.all, "all-namespaces", "A", false, "Write out all namespaces.")
	return c
}

func (o dumpOptions) run(ctx context.Context) error {
	if err := o.complete(ctx); err != nil {
		return err
	}
	lists, err := o.client.Discovery().ServerPreferredResources()
	if err != nil {
		return fmt.Errorf("asking the server for its kinds: %w", err)
	}
	lists = discovery.FilteredBy(discovery.SupportsAllVerbs{Verbs: []string{"list"}}, lists)
	for _, list := range lists {
		version, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return err
		}
		for _, r := range list.APIResources {
			if err := o.kind(ctx, version.WithResource(r.Name), r.Namespaced); err != nil {
				return err
			}
		}
	}
	return o.logs(ctx)
}

// complete makes the clients and the list of namespaces.
func (o *dumpOptions) complete(ctx context.Context) (err error) {
	if o.client, err = o.env.Factory.KubernetesClientSet(); err != nil {
		return err
	}
	if o.objects, err = o.env.Factory.DynamicClient(); err != nil {
		return err
	}
	if o.all {
		found, err := o.client.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		o.namespaces = nil
		for _, n := range found.Items {
			o.namespaces = append(o.namespaces, n.Name)
		}
	}
	if len(o.namespaces) == 0 {
		current, _, err := o.env.Factory.ToRawKubeConfigLoader().Namespace()
		if err != nil {
			return err
		}
		o.namespaces = []string{current, metav1.NamespaceSystem}
	}
	slices.Sort(o.namespaces)
	o.namespaces = slices.Compact(o.namespaces)
	return nil
}

// kind writes out the objects of one kind.
func (o dumpOptions) kind(ctx context.Context, r schema.GroupVersionResource, namespaced bool) error {
	if r.Resource == "secrets" {
		return nil
	}
	if !namespaced {
		return o.list(ctx, o.objects.Resource(r), r, "")
	}
	for _, n := range o.namespaces {
		if err := o.list(ctx, o.objects.Resource(r).Namespace(n), r, n); err != nil {
			return err
		}
	}
	return nil
}

func (o dumpOptions) list(ctx context.Context, from dynamic.ResourceInterface, r schema.GroupVersionResource, namespace string) error {
	var whole *unstructured.UnstructuredList
	for next := ""; ; {
		page, err := from.List(ctx, metav1.ListOptions{Limit: dumpPage, Continue: next})
		if err != nil {
			return fmt.Errorf("listing %s: %w", r.GroupResource(), err)
		}
		if whole == nil {
			whole = page
		} else {
			whole.Items = append(whole.Items, page.Items...)
		}
		if next = page.GetContinue(); next == "" {
			break
		}
	}
	if len(whole.Items) == 0 {
		return nil
	}
	whole.SetContinue("")
	text, err := yaml.Marshal(whole.UnstructuredContent())
	if err != nil {
		return fmt.Errorf("writing %s: %w", r.GroupResource(), err)
	}
	return o.write(strings.NewReader("---\n"+string(text)), namespace, r.GroupResource().String()+".yaml")
}
