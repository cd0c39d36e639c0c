package command

import (
	"context"
	"errors"
	"net/http"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
)

type imageRemove struct {
	f             cmdutil.Factory
	streams       genericiooptions.IOStreams
	output        string
	ignoreMissing bool
}

func newImageRemove(f cmdutil.Factory, streams genericiooptions.IOStreams) *cobra.Command {
	o := imageRemove{f: f, streams: streams}
	c := &cobra.Command{
		Use:     "rm REF...",
		Aliases: []string{"delete"},
		Short:   "Take images out of the cluster's registry",
		Long: `Take images out of the cluster's registry.

A tag is removed, and the image with it when no other tag of the repository points at it. The space is free again once
the server has collected its garbage. Nodes keep the copies that they have pulled.`,
		Example: `  leme image rm hello:1.0
  leme image rm hello:1.0 hello:1.1 team/web@sha256:…`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args) },
	}
	c.Flags().BoolVar(&o.ignoreMissing, "ignore-not-found", false, "Take it for done when an image is not there.")
	c.Flags().StringVarP(&o.output, "output", "o", "", "Output format: json, yaml or name.")
	return c
}

// run removes as many as it can, and fails for the others.
func (o imageRemove) run(ctx context.Context, args []string) error {
	if err := oneOfFormats(o.output, "", "name", "json", "yaml"); err != nil {
		return err
	}
	var refs []name.Reference
	for _, called := range args {
		ref, err := imageRef(called)
		if err != nil {
			return err
		}
		refs = append(refs, ref)
	}
	registry, err := connectImages(o.f)
	if err != nil {
		return err
	}
	var removed []movedImage
	var errs []error
	for _, ref := range refs {
		err := registry.remove(ctx, ref)
		switch {
		case err == nil:
			removed = append(removed, movedImage{Name: ref.Name()})
		case o.ignoreMissing && isMissing(err):
		default:
			errs = append(errs, registry.explain(shortName(ref), err))
		}
	}
	return errors.Join(append([]error{printMoved(o.streams.Out, o.output, "removed", removed)}, errs...)...)
}

func isMissing(err error) bool {
	var answer *transport.Error
	return errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound && len(answer.Errors) > 0
}

// remove takes a tag away, and the image when that was its last tag; or an image by its digest.
func (r *imageRegistry) remove(ctx context.Context, ref name.Reference) error {
	desc, err := remote.Get(ref, r.options(ctx)...)
	if err != nil {
		return err
	}
	if err := remote.Delete(ref, r.options(ctx)...); err != nil {
		return err
	}
	if _, byDigest := ref.(name.Digest); byDigest {
		return nil
	}
	tags, err := remote.List(ref.Context(), r.options(ctx)...)
	if err != nil {
		return err
	}
	for _, t := range tags {
		other, err := remote.Head(ref.Context().Tag(t), r.options(ctx)...)
		if err != nil {
			return err
		}
		if other.Digest == desc.Digest {
			return nil
		}
	}
	return remote.Delete(ref.Context().Digest(desc.Digest.String()), r.options(ctx)...)
}
