package command

import (
	"context"
	"fmt"
	"io"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
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

func newImageRemove(f cmdutil.Factory, streams genericiooptions.IOStreams) *cobra.Command {
	return &cobra.Command{
		Use:     "rm REF...",
		Aliases: []string{"delete"},
		Short:   "Take images out of the cluster's registry",
		Long: `Take images out of the cluster's registry.

A tag is removed, and the image with it when no other tag of the repository points at it. The space is free again once
the server has collected its garbage. Nodes keep the copies that they have pulled.`,
		Example: `  leme image rm hello:1.0
  leme image rm hello:1.0 hello:1.1 team/web@sha256:…`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return runImageRemove(c.Context(), f, streams.Out, args)
		},
	}
}

func runImageRemove(ctx context.Context, f cmdutil.Factory, out io.Writer, args []string) error {
	registry, err := connectImages(f)
	if err != nil {
		return err
	}
	for _, called := range args {
		ref, err := imageRef(called)
		if err != nil {
			return err
		}
		if err := registry.remove(ctx, ref); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "%s removed\n", ref.Name()); err != nil {
			return err
		}
	}
	return nil
}

// remove takes a tag away, and the image when that was its last tag; or an image by its digest.
func (r *imageRegistry) remove(ctx context.Context, ref name.Reference) error {
	desc, err := remote.Get(ref, r.options(ctx)...)
	if err != nil {
		return r.explain(shortName(ref), err)
	}
	if err := remote.Delete(ref, r.options(ctx)...); err != nil {
		return r.explain(shortName(ref), err)
	}
	if _, byDigest := ref.(name.Digest); byDigest {
		return nil
	}
	tags, err := r.tags(ctx, ref.Context())
	if err != nil {
		return err
	}
	for _, t := range tags {
		other, err := remote.Head(ref.Context().Tag(t), r.options(ctx)...)
		if err != nil {
			return r.explain(t, err)
		}
		if other.Digest == desc.Digest {
			return nil
		}
	}
	return r.explain(shortName(ref), remote.Delete(ref.Context().Digest(desc.Digest.String()), r.options(ctx)...))
}
