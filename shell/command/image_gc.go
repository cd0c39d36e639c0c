package command

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
)

type imageGC struct {
	f        cmdutil.Factory
	streams  genericiooptions.IOStreams
	dryRun   bool
	untagged time.Duration
	output   string
}

// collectedImages is what the registry says of a collection.
type collectedImages struct {
	Uploads   int   `json:"uploads"`
	Manifests int   `json:"manifests"`
	Blobs     int   `json:"blobs"`
	Bytes     int64 `json:"bytes"`
}

func newImageGC(f cmdutil.Factory, streams genericiooptions.IOStreams) *cobra.Command {
	o := imageGC{f: f, streams: streams}
	c := &cobra.Command{
		Use:   "gc",
		Short: "Free the space of what the cluster's registry no longer needs",
		Long: `Free the space of what the cluster's registry no longer needs: layers that no image has any more, and images without a
tag that nothing names.

The registry does so by itself every hour. What was pushed within the last hour stays: it may belong to a push under way.`,
		Example: `  # What would go
  leme image gc --dry-run

  # Images that lost their tag more than a day ago, too
  leme image gc --untagged-age=24h`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return o.run(c.Context(), c.Flags().Changed("untagged-age"))
		},
	}
	c.Flags().BoolVar(&o.dryRun, "dry-run", false, "Only say what would be removed.")
	c.Flags().DurationVar(&o.untagged, "untagged-age", 0,
		"Remove images without a tag that were last pushed or pulled so long ago (default: as the server is told).")
	c.Flags().StringVarP(&o.output, "output", "o", "", "Output format: json or yaml.")
	return c
}

func (o imageGC) run(ctx context.Context, aged bool) error {
	if err := oneOfFormats(o.output, "", "json", "yaml"); err != nil {
		return err
	}
	query := url.Values{"dryRun": {strconv.FormatBool(o.dryRun)}}
	if aged {
		query.Set("untagged", o.untagged.String())
	}
	registry, err := connectImages(o.f)
	if err != nil {
		return err
	}
	got, err := registry.collect(ctx, query)
	if err != nil {
		return registry.explain("collecting garbage", err)
	}
	if o.output != "" {
		return printAs(o.streams.Out, o.output, got)
	}
	return got.print(o.streams.Out, o.dryRun)
}

func (c collectedImages) print(out io.Writer, dryRun bool) error {
	did := "freed"
	if dryRun {
		did = "would free"
	}
	_, err := fmt.Fprintf(out, "%s %s: %d blobs, %d images without a tag, %d abandoned uploads\n",
		did, humanSize(c.Bytes), c.Blobs, c.Manifests, c.Uploads)
	return err
}

func (r *imageRegistry) collect(ctx context.Context, query url.Values) (got collectedImages, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+imageHost+"/v2/_leme/gc?"+query.Encode(), nil)
	if err != nil {
		return got, err
	}
	resp, err := r.via.RoundTrip(req)
	if err != nil {
		return got, err
	}
	defer resp.Body.Close()
	if err := transport.CheckError(resp, http.StatusOK); err != nil {
		return got, err
	}
	return got, json.NewDecoder(resp.Body).Decode(&got)
}
