package command

import (
	"context"
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
)

type imagePush struct {
	f       cmdutil.Factory
	streams genericiooptions.IOStreams
	source  string
	name    string
	output  string
	quiet   bool
}

func newImagePush(f cmdutil.Factory, streams genericiooptions.IOStreams) *cobra.Command {
	o := imagePush{f: f, streams: streams}
	c := &cobra.Command{
		Use:   "push SOURCE [NAME]",
		Short: "Put an image into the cluster's registry",
		Long: `Put an image into the cluster's registry.

SOURCE is an archive made by docker save, an OCI layout as a directory or a tar, or the name of an image of the local
Docker, which docker://NAME says for sure. An image for several platforms is pushed whole. NAME is what to call it in the cluster; without one it keeps the name that SOURCE gives it.`,
		Example: `  # An archive, under the name it carries
  leme image push hello.tar

  # The same under another
  leme image push hello.tar team/hello:2.0

  # An image of the local Docker
  leme image push nginx:1.29`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			o.source = args[0]
			if len(args) == 2 {
				o.name = args[1]
			}
			return o.run(c.Context())
		},
	}
	c.Flags().BoolVarP(&o.quiet, "quiet", "q", false, "Show no progress.")
	c.Flags().StringVarP(&o.output, "output", "o", "", "Output format: json, yaml or name.")
	return c
}

func (o imagePush) run(ctx context.Context) error {
	if err := oneOfFormats(o.output, "", "name", "json", "yaml"); err != nil {
		return err
	}
	source, err := openImages(ctx, sourcePlace(o.source, enginePlace))
	if err != nil {
		return err
	}
	defer source.close()
	todo, err := o.plan(source.images)
	if err != nil {
		return err
	}
	return o.write(ctx, todo)
}

// write pushes images, shows how far it is, and says what they are called.
func (o imagePush) write(ctx context.Context, todo map[name.Reference]remote.Taggable) error {
	registry, err := connectImages(o.f)
	if err != nil {
		return err
	}
	updates := make(chan v1.Update, 64)
	shown := showTransfer(o.streams.ErrOut, o.quiet, "Pushing "+o.source, updates)
	err = remote.MultiWrite(todo, registry.options(ctx, remote.WithProgress(updates), remote.WithJobs(4))...)
	<-shown
	if err != nil {
		return registry.explain("pushing "+o.source, err)
	}
	return o.report(todo)
}

// plan settles which image goes where.
func (o imagePush) plan(images []namedImage) (map[name.Reference]remote.Taggable, error) {
	if o.name != "" && len(images) > 1 {
		return nil, fmt.Errorf("%s holds %d images; leave NAME out to push each under its own", o.source, len(images))
	}
	todo := map[name.Reference]remote.Taggable{}
	for _, img := range images {
		called := o.name
		if called == "" {
			called = img.name
		}
		if called == "" {
			return nil, fmt.Errorf("%s says no name for its image; add one: leme image push %s NAME", o.source, o.source)
		}
		ref, err := imageRef(called)
		if err != nil {
			return nil, err
		}
		todo[ref] = img.image
	}
	return todo, nil
}

func (o imagePush) report(todo map[name.Reference]remote.Taggable) error {
	var pushed []movedImage
	for ref, img := range todo {
		done, err := moved(ref, img)
		if err != nil {
			return err
		}
		pushed = append(pushed, done)
	}
	return printMoved(o.streams.Out, o.output, "pushed", pushed)
}
