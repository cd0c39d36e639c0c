package command

import (
	"context"
	"io"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
)

func newImageInspect(f cmdutil.Factory, streams genericiooptions.IOStreams) *cobra.Command {
	output := "yaml"
	c := &cobra.Command{
		Use:   "inspect REF",
		Short: "Show an image's digest, platforms, configuration and layers",
		Example: `  leme image inspect hello:1.0
  leme image inspect hello:1.0 -o json`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return runImageInspect(c.Context(), f, streams.Out, output, args[0])
		},
	}
	c.Flags().StringVarP(&output, "output", "o", output, "Output format: json or yaml.")
	return c
}

func runImageInspect(ctx context.Context, f cmdutil.Factory, out io.Writer, output, called string) error {
	if err := oneOfFormats(output, "yaml", "json", "yaml"); err != nil {
		return err
	}
	ref, err := imageRef(called)
	if err != nil {
		return err
	}
	registry, err := connectImages(f)
	if err != nil {
		return err
	}
	info, err := registry.info(ctx, ref)
	if err != nil {
		return err
	}
	return printAs(out, output, info)
}
