package command

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
)

// imageCopy brings images from one place to another.
type imageCopy struct {
	f        cmdutil.Factory
	streams  genericiooptions.IOStreams
	verb     string // for what is shown: "Pulling", and when it is done "pulled"
	done     string
	from, to imagePlace
	platform string
	output   string
	quiet    bool
}

func newImageCopy(f cmdutil.Factory, streams genericiooptions.IOStreams) *cobra.Command {
	o := imageCopy{f: f, streams: streams, verb: "Copying", done: "copied"}
	c := &cobra.Command{
		Use:     "copy SOURCE TARGET",
		Aliases: []string{"cp"},
		Short:   "Copy an image between registries, archives, OCI layouts and the local Docker",
		Long: `Copy an image between registries, archives, OCI layouts and the local Docker.

` + placesHelp + `

An image for several platforms is copied whole, but to Docker and its archives, which hold one platform's.`,
		Example: `  # From another registry into the cluster's
  leme image copy docker.io/library/nginx:1.29 nginx:1.29

  # Give an image another tag
  leme image copy web:2.1 web:stable

  # For a cluster without a network: an archive of all platforms
  leme image copy docker.io/library/nginx:1.29 oci-archive:nginx.tar

  # One platform only
  leme image copy docker.io/library/nginx:1.29 nginx:1.29 --platform=linux/arm64`,
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			o.from, o.to = sourcePlace(args[0], registryPlace), targetPlace(args[1])
			return o.run(c.Context())
		},
	}
	o.addFlags(c)
	return c
}

func (o *imageCopy) addFlags(c *cobra.Command) {
	c.Flags().StringVar(&o.platform, "platform", "", "Only this platform of an image for several, such as linux/arm64.")
	c.Flags().BoolVarP(&o.quiet, "quiet", "q", false, "Show no progress.")
	c.Flags().StringVarP(&o.output, "output", "o", "", "Output format: json, yaml or name.")
}

func newImagePull(f cmdutil.Factory, streams genericiooptions.IOStreams) *cobra.Command {
	o := imageCopy{f: f, streams: streams, verb: "Pulling", done: "pulled"}
	c := &cobra.Command{
		Use:   "pull NAME [TARGET]",
		Short: "Bring an image of the cluster's registry to this machine",
		Long: `Bring an image of the cluster's registry, or of another, to this machine: into its Docker Engine, or into a file.

TARGET is a place as of leme image copy; the default is docker://registry.leme/NAME.`,
		Example: `  # Into the local Docker
  leme image pull hello:1.0

  # Into an archive for docker load
  leme image pull hello:1.0 hello.tar

  # All platforms, as an OCI layout
  leme image pull team/web:2.1 ./layout`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			o.from = imagePlace{registryPlace, args[0]}
			ref, err := o.from.reference()
			if err != nil {
				return err
			}
			o.to = imagePlace{enginePlace, ref.Name()}
			if len(args) == 2 {
				o.to = targetPlace(args[1])
			}
			return o.run(c.Context())
		},
	}
	o.addFlags(c)
	return c
}

func (o imageCopy) run(ctx context.Context) error {
	if err := oneOfFormats(o.output, "", "name", "json", "yaml"); err != nil {
		return err
	}
	platform, err := parsePlatform(o.platform)
	if err != nil {
		return err
	}
	source, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer source.close()
	if len(source.images) > 1 {
		return fmt.Errorf("%s holds %d images: leme image push %s puts each under its own name", o.from.at, len(source.images), o.from.at)
	}
	image := source.images[0]
	if platform != nil {
		if image.image, err = onPlatform(o.from.at, image.image, platform); err != nil {
			return err
		}
	}
	copied, err := o.write(ctx, image)
	if err != nil {
		return err
	}
	return printMoved(o.streams.Out, o.output, o.done+" to "+o.to.at, []movedImage{copied})
}

// open reads the source.
func (o imageCopy) open(ctx context.Context) (imageSource, error) {
	if o.from.kind != registryPlace {
		return openImages(ctx, o.from)
	}
	ref, err := o.from.reference()
	if err != nil {
		return imageSource{}, err
	}
	registry, err := o.registryOf(ref)
	if err != nil {
		return imageSource{}, err
	}
	desc, err := remote.Get(ref, registry.options(ctx)...)
	if err != nil {
		return imageSource{}, registry.explain(shortName(ref), err)
	}
	image, err := taggable(desc)
	return imageSource{[]namedImage{{ref.Name(), image}}, func() {}}, err
}

func taggable(desc *remote.Descriptor) (remote.Taggable, error) {
	if desc.MediaType.IsIndex() {
		return desc.ImageIndex()
	}
	return desc.Image()
}

// registryOf is the way to the registry of an image.
func (o imageCopy) registryOf(ref name.Reference) (*imageRegistry, error) {
	if ref.Context().RegistryStr() == imageHost {
		return connectImages(o.f)
	}
	return &imageRegistry{
		server: ref.Context().RegistryStr(), via: remote.DefaultTransport, credentials: authn.DefaultKeychain,
	}, nil
}

// write brings the image to the target, and says what came of it.
func (o imageCopy) write(ctx context.Context, image namedImage) (movedImage, error) {
	if o.to.kind == registryPlace {
		return o.writeToRegistry(ctx, image)
	}
	ref, err := o.nameInTarget(image)
	if err != nil {
		return movedImage{}, err
	}
	updates := make(chan v1.Update, 64)
	shown := showTransfer(o.streams.ErrOut, o.quiet, o.verb+" "+o.from.at, updates)
	meter := &imageMeter{updates: updates}
	saved, err := o.save(ctx, ref, image, meter)
	close(updates)
	<-shown
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return movedImage{}, err
	}
	return moved(ref, saved)
}

// nameInTarget is what the image is called there.
func (o imageCopy) nameInTarget(image namedImage) (name.Reference, error) {
	if o.to.kind == enginePlace {
		return name.ParseReference(o.to.at)
	}
	if image.name == "" {
		return nil, fmt.Errorf("%s says no name for its image", o.from.at)
	}
	return imagePlace{registryPlace, image.name}.reference()
}

func (o imageCopy) save(ctx context.Context, ref name.Reference, image namedImage, meter *imageMeter) (remote.Taggable, error) {
	switch o.to.kind {
	case layoutPlace:
		return image.image, saveLayout(o.to.at, ref, meter.over(image.image))
	case layoutTarPlace:
		return image.image, saveLayoutTar(o.to.at, ref, meter.over(image.image))
	case archivePlace:
		one, err := onPlatform(image.name, image.image, localPlatform())
		if err != nil {
			return nil, err
		}
		return one, saveArchive(o.to.at, map[name.Reference]v1.Image{ref: meter.over(one).(v1.Image)})
	case enginePlace:
		return o.saveToEngine(ctx, ref, image, meter)
	}
	return nil, errors.New("images cannot be written there")
}

func (o imageCopy) saveToEngine(ctx context.Context, ref name.Reference, image namedImage, meter *imageMeter) (remote.Taggable, error) {
	engine, err := connectEngine(ctx)
	if err != nil {
		return nil, err
	}
	defer engine.Close()
	platform, err := enginePlatform(ctx, engine)
	if err != nil {
		return nil, err
	}
	one, err := onPlatform(image.name, image.image, platform)
	if err != nil {
		return nil, err
	}
	return one, loadIntoEngine(ctx, engine, ref, meter.over(one).(v1.Image))
}

func (o imageCopy) writeToRegistry(ctx context.Context, image namedImage) (movedImage, error) {
	ref, err := o.to.reference()
	if err != nil {
		return movedImage{}, err
	}
	registry, err := o.registryOf(ref)
	if err != nil {
		return movedImage{}, err
	}
	updates := make(chan v1.Update, 64)
	shown := showTransfer(o.streams.ErrOut, o.quiet, o.verb+" "+o.from.at, updates)
	err = remote.MultiWrite(map[name.Reference]remote.Taggable{ref: image.image},
		registry.options(ctx, remote.WithProgress(updates), remote.WithJobs(4))...)
	<-shown
	if err != nil {
		return movedImage{}, registry.explain(fmt.Sprintf("copying to %s", shortName(ref)), err)
	}
	return moved(ref, image.image)
}
