package command

import (
	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
)

// NewCmdScheduler is `leme scheduler`: why pods run where they do, or nowhere.
func NewCmdScheduler(f cmdutil.Factory, streams genericiooptions.IOStreams) *cobra.Command {
	c := &cobra.Command{
		Use:   "scheduler",
		Short: "See how the scheduler decides",
		Example: `  # Why does a pod wait?
  leme scheduler explain web-0`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newSchedulerExplain(f, streams))
	return c
}
