package command

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// UpOptions is what `leme up` is told.
type UpOptions struct {
	Server  ServerOptions
	Agent   AgentOptions
	Detach  bool
	Timeout time.Duration
	Log     LogOptions
}

// NewCmdUp is `leme up`: a whole cluster in one process.
func NewCmdUp(streams genericiooptions.IOStreams, run func(context.Context, UpOptions) error) *cobra.Command {
	o := UpOptions{Server: ServerOptions{Home: Home()}, Agent: AgentOptions{Home: Home()}}
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Start a cluster on this machine: master and node in one process",
		Long: `Start a cluster on this machine: etcd, the API, controllers, scheduler and a node, in one process.

In the foreground until Ctrl-C, or with --detach in the background: then the command returns once the
node is Ready. Containers run on when it stops; "leme down" removes them.`,
		Example: `  # In the background
  leme up --detach

  # Watch what it does
  leme up`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Detach {
				return o.detach(cmd.Context(), streams)
			}
			for _, role := range []Role{RoleServer, RoleAgent} {
				release, err := Lock(o.Server.Home, role)
				if err != nil {
					return err
				}
				defer release()
			}
			return run(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVarP(&o.Detach, "detach", "d", false, "Run in the background; return once the node is Ready.")
	cmd.Flags().DurationVar(&o.Timeout, "timeout", 2*time.Minute, "How long --detach waits for the node.")
	o.Server.addFlags(cmd.Flags())
	o.Agent.addFlags(cmd.Flags())
	o.Log.addFlags(cmd.Flags())
	return cmd
}
