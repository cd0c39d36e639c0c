package command

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/rest"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
)

// imageHost is the cluster's own registry as image names have it.
const imageHost = "registry.leme"

// NewCmdImage is `leme image`: what the cluster's own registry has.
func NewCmdImage(f cmdutil.Factory, streams genericiooptions.IOStreams) *cobra.Command {
	c := &cobra.Command{
		Use:     "image",
		Aliases: []string{"images"},
		Short:   "Put images into the cluster's own registry, and see what is there",
		Long: `Put images into the cluster's own registry, and see what is there.

Every node pulls from that registry: a pod names an image in it as ` + imageHost + `/NAME:TAG. It is reached through the
server's own address, with the credentials of the kubeconfig.`,
		Example: `  # An archive that docker save made, an OCI layout, or an image of the local Docker
  leme image push hello.tar hello:1.0
  leme image push ./layout team/web:2.1
  leme image push nginx:1.29

  # What is there
  leme image ls
  leme image inspect hello:1.0

  # Run it
  leme create deployment hello --image=` + imageHost + `/hello:1.0`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(
		newImagePush(f, streams),
		newImagePull(f, streams),
		newImageCopy(f, streams),
		newImageBuild(f, streams),
		newImageList(f, streams),
		newImageTags(f, streams),
		newImageInspect(f, streams),
		newImageRemove(f, streams),
		newImageGC(f, streams),
	)
	return c
}

// imageRegistry is the way to the cluster's registry.
type imageRegistry struct {
	server      string // its address, for errors
	via         http.RoundTripper
	credentials authn.Keychain // nil: the transport has them
}

func connectImages(f cmdutil.Factory) (*imageRegistry, error) {
	config, err := f.ToRESTConfig()
	if err != nil {
		return nil, err
	}
	server, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return nil, fmt.Errorf("the server's address %q: %w", config.Host, err)
	}
	rt, err := rest.TransportFor(config)
	if err != nil {
		return nil, err
	}
	return &imageRegistry{server: server.String(), via: &toServer{server, rt}}, nil
}

// options are what every request to the registry goes with.
func (r *imageRegistry) options(ctx context.Context, more ...remote.Option) []remote.Option {
	who := remote.WithAuth(authn.Anonymous)
	if r.credentials != nil {
		who = remote.WithAuthFromKeychain(r.credentials)
	}
	return append([]remote.Option{remote.WithContext(ctx), remote.WithTransport(r.via), who}, more...)
}

// toServer sends requests for the registry's name to the server's address. The answer names the registry again, so that
// relative locations in it stay right.
type toServer struct {
	server *url.URL
	next   http.RoundTripper
}

func (t *toServer) RoundTrip(req *http.Request) (*http.Response, error) {
	sent := req.Clone(req.Context())
	sent.URL.Scheme, sent.URL.Host, sent.Host = t.server.Scheme, t.server.Host, t.server.Host
	sent.URL.Path = strings.TrimSuffix(t.server.Path, "/") + req.URL.Path
	resp, err := t.next.RoundTrip(sent)
	if resp != nil {
		resp.Request = req
	}
	return resp, err
}

// imageRepo and imageRef read what a user calls a repository or an image: with the registry's name or without.
func imageRepo(s string) (name.Repository, error) {
	rest, err := withoutHost(s)
	if err != nil {
		return name.Repository{}, err
	}
	return name.NewRepository(imageHost + "/" + rest)
}

func imageRef(s string) (name.Reference, error) {
	rest, err := withoutHost(s)
	if err != nil {
		return nil, err
	}
	return name.ParseReference(imageHost + "/" + rest)
}

func withoutHost(s string) (string, error) {
	rest, own := strings.CutPrefix(s, imageHost+"/")
	first, _, hasFolder := strings.Cut(rest, "/")
	if !own && hasFolder && (strings.ContainsAny(first, ".:") || first == "localhost") {
		return "", fmt.Errorf("%s is in another registry; in the cluster's own a name is like hello:1.0 or %s/hello:1.0", s, imageHost)
	}
	return rest, nil
}

// shortName is an image's name without the registry's, as the commands take it.
func shortName(ref name.Reference) string {
	return strings.TrimPrefix(ref.Name(), imageHost+"/")
}

// explain says in one line what a registry's refusal of what means to the user.
func (r *imageRegistry) explain(what string, err error) error {
	var answer *transport.Error
	switch {
	case err == nil || !errors.As(err, &answer):
		return err
	case r.credentials != nil: // another's registry
		return fmt.Errorf("%s: %s: %s", what, r.server, reasonOf(answer))
	case answer.StatusCode == http.StatusUnauthorized:
		return fmt.Errorf("the server %s does not accept the kubeconfig's credentials", r.server)
	case answer.StatusCode == http.StatusForbidden:
		return fmt.Errorf("%s: forbidden: %s", what, reasonOf(answer))
	case answer.StatusCode == http.StatusNotFound && len(answer.Errors) == 0:
		return fmt.Errorf("the server %s has no image registry", r.server)
	case answer.StatusCode == http.StatusNotFound:
		return fmt.Errorf("%s: not in the cluster's registry; see: leme image ls", what)
	}
	return fmt.Errorf("%s: %s", what, reasonOf(answer))
}

func reasonOf(answer *transport.Error) string {
	if len(answer.Errors) == 0 {
		return fmt.Sprintf("%d %s", answer.StatusCode, http.StatusText(answer.StatusCode))
	}
	return fmt.Sprintf("%s: %s", answer.Errors[0].Code, answer.Errors[0].Message)
}
