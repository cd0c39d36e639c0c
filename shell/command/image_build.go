package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/docker/cli/cli/config"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/daemon"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/moby/moby/api/types/registry"
	dockerclient "github.com/moby/moby/client"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
)

// imageBuild builds a Dockerfile on the engine of this machine, and pushes what comes of it.
type imageBuild struct {
	f                             cmdutil.Factory
	streams                       genericiooptions.IOStreams
	dir, dockerfile               string
	tags, args                    []string
	target, platform, output      string
	noCache, pullBase, push, mute bool
}

func newImageBuild(f cmdutil.Factory, streams genericiooptions.IOStreams) *cobra.Command {
	o := imageBuild{f: f, streams: streams, push: true}
	c := &cobra.Command{
		Use:   "build DIR -t NAME",
		Short: "Build a Dockerfile on this machine's Docker, and put the image into the cluster's registry",
		Long: `Build a Dockerfile on this machine's Docker, and put the image into the cluster's registry.

The Docker Engine that this machine reaches ($DOCKER_HOST, or the local one) gets the files of DIR, without those that
.dockerignore names, and builds. Base images may be of the cluster's registry: FROM ` + imageHost + `/NAME.`,
		Example: `  # The Dockerfile in this folder
  leme image build . -t hello:1.0

  # Another file, an argument, one stage of several, and two tags
  leme image build . -f deploy/Dockerfile --build-arg VERSION=2 --target server -t team/web:2 -t team/web:latest

  # Only build
  leme image build . -t hello:1.0 --push=false`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			o.dir = args[0]
			return o.run(c.Context())
		},
	}
	flags := c.Flags()
	flags.StringArrayVarP(&o.tags, "tag", "t", nil, "What to call the image, NAME[:TAG]; may be given several times.")
	flags.StringVarP(&o.dockerfile, "file", "f", "", "The Dockerfile (default: DIR/Dockerfile).")
	flags.StringArrayVar(&o.args, "build-arg", nil, "An argument of the build, NAME=VALUE, or NAME for the environment's; may be given several times.")
	flags.StringVar(&o.target, "target", "", "Stop at this stage of the Dockerfile.")
	flags.StringVar(&o.platform, "platform", "", "Build for this platform, such as linux/arm64, where the engine can.")
	flags.BoolVar(&o.noCache, "no-cache", false, "Build every step anew.")
	flags.BoolVar(&o.pullBase, "pull", false, "Look for newer base images.")
	flags.BoolVar(&o.push, "push", o.push, "Put the image into the cluster's registry.")
	flags.BoolVarP(&o.mute, "quiet", "q", false, "Show nothing but the result.")
	flags.StringVarP(&o.output, "output", "o", "", "Output format: json, yaml or name.")
	return c
}

func (o imageBuild) run(ctx context.Context) error {
	if err := oneOfFormats(o.output, "", "name", "json", "yaml"); err != nil {
		return err
	}
	refs, err := o.names()
	if err != nil {
		return err
	}
	options, err := o.options(refs)
	if err != nil {
		return err
	}
	from, err := openContext(o.dir, o.dockerfile)
	if err != nil {
		return err
	}
	options.Dockerfile = from.dockerfile
	engine, err := connectEngine(ctx)
	if err != nil {
		return err
	}
	defer engine.Close()
	if err := o.fetchBases(ctx, engine, &from); err != nil {
		return err
	}
	id, err := o.build(ctx, engine, &from, options)
	if err != nil {
		return err
	}
	if !o.push {
		var built []movedImage
		for _, ref := range refs {
			built = append(built, movedImage{Name: ref.Name()})
		}
		return printMoved(o.streams.Out, o.output, "built as "+id, built)
	}
	return o.pushBuilt(ctx, engine, refs)
}

// names are the image's, in the cluster's registry.
func (o imageBuild) names() ([]name.Reference, error) {
	if len(o.tags) == 0 {
		return nil, errors.New("say what to call the image: leme image build DIR -t NAME")
	}
	var refs []name.Reference
	for _, tag := range o.tags {
		ref, err := imageRef(tag)
		if err != nil {
			return nil, err
		}
		if _, ok := ref.(name.Tag); !ok {
			return nil, fmt.Errorf("%s is no name for what is yet to be built", tag)
		}
		refs = append(refs, ref)
	}
	return refs, nil
}

func (o imageBuild) options(refs []name.Reference) (dockerclient.ImageBuildOptions, error) {
	options := dockerclient.ImageBuildOptions{
		NoCache: o.noCache, PullParent: o.pullBase, Remove: true, ForceRemove: true, Target: o.target,
		BuildArgs: map[string]*string{}, AuthConfigs: map[string]registry.AuthConfig{},
	}
	for _, ref := range refs {
		options.Tags = append(options.Tags, ref.Name())
	}
	for _, arg := range o.args {
		key, value, given := strings.Cut(arg, "=")
		if !given {
			value, given = os.LookupEnv(key)
		}
		if options.BuildArgs[key] = nil; given {
			options.BuildArgs[key] = &value
		}
	}
	platform, err := parsePlatform(o.platform)
	if err != nil {
		return options, err
	}
	if platform != nil {
		options.Platforms = []ocispec.Platform{{OS: platform.OS, Architecture: platform.Architecture, Variant: platform.Variant}}
	}
	credentials, err := config.LoadDefaultConfigFile(o.streams.ErrOut).GetAllCredentials()
	if err != nil {
		return options, fmt.Errorf("reading Docker's credentials: %w", err)
	}
	for host, c := range credentials {
		options.AuthConfigs[host] = registry.AuthConfig{
			Username: c.Username, Password: c.Password, Auth: c.Auth, ServerAddress: c.ServerAddress,
			IdentityToken: c.IdentityToken, RegistryToken: c.RegistryToken,
		}
	}
	return options, nil
}

// baseImages finds the images that a Dockerfile takes from the cluster's registry.
var baseImages = regexp.MustCompile(`(?im)^\s*(?:FROM\s+(?:--\S+\s+)*|COPY\s+(?:--\S+\s+)*--from=)(` + regexp.QuoteMeta(imageHost) + `/[^\s$]+)(?:\s|$)`)

// fetchBases brings base images of the cluster's registry to the engine, which does not know that registry.
func (o imageBuild) fetchBases(ctx context.Context, engine *dockerclient.Client, from *buildContext) error {
	instructions, err := from.instructions()
	if err != nil {
		return err
	}
	for _, found := range baseImages.FindAllSubmatch(instructions, -1) {
		base := string(found[1])
		if !o.pullBase {
			_, err := engine.ImageInspect(ctx, base)
			if err == nil {
				continue
			}
			if !errdefs.IsNotFound(err) {
				return err
			}
		}
		pull := imageCopy{f: o.f, streams: o.streams, verb: "Pulling", quiet: o.mute, platform: o.platform,
			from: imagePlace{registryPlace, base}, to: imagePlace{enginePlace, base}}
		pull.streams.Out = io.Discard
		if err := pull.run(ctx); err != nil {
			return err
		}
	}
	return nil
}

// build lets the engine build, shows what it says, and returns the image's ID.
func (o imageBuild) build(ctx context.Context, engine *dockerclient.Client, from *buildContext, options dockerclient.ImageBuildOptions) (string, error) {
	r, w := io.Pipe()
	packing := make(chan error, 1)
	go func() {
		err := from.write(w)
		packing <- err
		w.CloseWithError(err)
	}()
	answer, err := engine.ImageBuild(ctx, r, options)
	r.Close() // ends the packing, when the engine wants no more
	if failed := <-packing; failed != nil && !errors.Is(failed, io.ErrClosedPipe) {
		err = failed
	}
	if err != nil {
		return "", fmt.Errorf("building %s: %w", o.dir, err)
	}
	defer answer.Body.Close()
	var id string
	err = engineStream(answer.Body, func(m engineMessage) {
		if found := builtID(m.Aux); found != "" {
			id = found
		}
		if !o.mute {
			fmt.Fprint(o.streams.ErrOut, m.Stream)
		}
	})
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return "", fmt.Errorf("building %s: %w", o.dir, err)
	}
	return id, nil
}

var imageID = regexp.MustCompile(`"ID":\s*"(sha256:[0-9a-f]{64})"`)

func builtID(aux []byte) string {
	if found := imageID.FindSubmatch(bytes.TrimSpace(aux)); found != nil {
		return string(found[1])
	}
	return ""
}

func (o imageBuild) pushBuilt(ctx context.Context, engine *dockerclient.Client, refs []name.Reference) error {
	push := imagePush{f: o.f, streams: o.streams, source: refs[0].Name(), output: o.output, quiet: o.mute}
	img, err := daemon.Image(refs[0], daemon.WithContext(ctx), daemon.WithClient(engine), daemon.WithFileBufferedOpener())
	if err != nil {
		return err
	}
	todo := map[name.Reference]remote.Taggable{}
	for _, ref := range refs {
		todo[ref] = img
	}
	return push.write(ctx, todo)
}
