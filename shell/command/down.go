package command

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// DownOptions is what `leme down` is told.
type DownOptions struct {
	Home  string
	Purge bool
	Agent AgentOptions // the flags that name the node
}

// NewCmdDown is `leme down`. clean removes the node's containers, networks and mounts, and says how many containers it removed.
func NewCmdDown(streams genericiooptions.IOStreams, clean func(context.Context, DownOptions) (int, error)) *cobra.Command {
	o := DownOptions{Home: Home()}
	cmd := &cobra.Command{
		Use:   "down",
		Short: "Stop the cluster on this machine and remove its containers",
		Long: `Stop the cluster on this machine, and remove its containers and networks.

What was asked for stays in $LEME_HOME and runs again after the next "leme up"; --purge removes that too.`,
		Example: `  # Stop; the objects are kept
  leme down

  # Leave nothing
  leme down --purge`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), streams, clean) },
	}
	cmd.Flags().BoolVar(&o.Purge, "purge", false, "Remove the cluster's data too: etcd, images, certificates, logs.")
	o.Agent.addNodeFlags(cmd.Flags())
	return cmd
}

func (o *DownOptions) run(ctx context.Context, streams genericiooptions.IOStreams, clean func(context.Context, DownOptions) (int, error)) error {
	stopped, err := o.stopAll()
	if err != nil {
		return err
	}
	if stopped {
		fmt.Fprintln(streams.Out, "Stopped the cluster.")
	} else {
		fmt.Fprintln(streams.Out, "No cluster was running.")
	}
	removed, err := clean(ctx, *o)
	if err != nil {
		return fmt.Errorf("removing the node's containers: %w", err)
	}
	fmt.Fprintf(streams.Out, "Removed %d containers.\n", removed)
	if !o.Purge {
		return nil
	}
	if err := o.purge(); err != nil {
		return fmt.Errorf("removing the cluster's data: %w", err)
	}
	fmt.Fprintf(streams.Out, "Removed the cluster's data in %s.\n", o.Home)
	return nil
}

func (o *DownOptions) stopAll() (bool, error) {
	var pids []int
	for _, role := range []Role{RoleAgent, RoleServer} {
		pid, err := running(o.Home, role)
		if err != nil {
			return false, err
		}
		if pid != 0 && !slices.Contains(pids, pid) {
			pids = append(pids, pid)
		}
	}
	for _, pid := range pids {
		if err := stop(pid); err != nil {
			return false, err
		}
	}
	return len(pids) > 0, nil
}

// owned is what a cluster keeps in its home. Nothing else there is touched: the home may be any directory.
var owned = []string{"kubeconfig", "pki", "etcd", "registry", "registry-through", "agent", "log", "run", "cache"}

func (o *DownOptions) purge() error {
	for _, name := range owned {
		if err := os.RemoveAll(filepath.Join(o.Home, name)); err != nil {
			return err
		}
	}
	if entries, err := os.ReadDir(o.Home); err == nil && len(entries) == 0 {
		return os.Remove(o.Home)
	}
	return nil
}
