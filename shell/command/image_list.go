package command

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
	"sigs.k8s.io/yaml"
)

func newImageList(f cmdutil.Factory, streams genericiooptions.IOStreams) *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:     "ls [REPO...]",
		Aliases: []string{"list"},
		Short:   "List the images of the cluster's registry",
		Example: `  # Everything
  leme image ls

  # One repository, with digests and platforms
  leme image ls hello -o wide

  # Names only, for a script
  leme image ls -o name`,
		RunE: func(c *cobra.Command, args []string) error {
			return runImageList(c.Context(), f, streams.Out, output, args)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "", "Output format: json, yaml, name or wide.")
	return c
}

func runImageList(ctx context.Context, f cmdutil.Factory, out io.Writer, output string, repos []string) error {
	if err := oneOfFormats(output, "", "wide", "name", "json", "yaml"); err != nil {
		return err
	}
	registry, err := connectImages(f)
	if err != nil {
		return err
	}
	images, err := registry.list(ctx, repos)
	if err != nil {
		return err
	}
	switch output {
	case "json", "yaml":
		return printAs(out, output, map[string]any{"images": images})
	case "name":
		for _, img := range images {
			if _, err := fmt.Fprintln(out, img.Name); err != nil {
				return err
			}
		}
		return nil
	}
	return printImages(out, images, output == "wide", time.Now())
}

// printImages writes a table as kubectl's are.
func printImages(out io.Writer, images []imageInfo, wide bool, now time.Time) error {
	w := tabwriter.NewWriter(out, 6, 4, 3, ' ', 0)
	header := "REPOSITORY\tTAG\tSIZE\tAGE"
	if wide {
		header += "\tPLATFORMS\tDIGEST"
	}
	fmt.Fprintln(w, header)
	for _, img := range images {
		named := strings.TrimPrefix(img.Name, imageHost+"/")
		colon := strings.LastIndex(named, ":")
		age := "-" // made with a fixed time, so that it is the same each time it is made
		if img.Created != nil {
			age = duration.HumanDuration(now.Sub(*img.Created))
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s", named[:colon], named[colon+1:], humanSize(img.Size), age)
		if wide {
			fmt.Fprintf(w, "\t%s\t%s", strings.Join(img.Platforms, ","), img.Digest)
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}

func newImageTags(f cmdutil.Factory, streams genericiooptions.IOStreams) *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "tags REPO",
		Short: "List the tags of one repository",
		Example: `  leme image tags hello
  leme image tags team/web -o json`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return runImageTags(c.Context(), f, streams.Out, output, args[0])
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "", "Output format: json, yaml or name.")
	return c
}

func runImageTags(ctx context.Context, f cmdutil.Factory, out io.Writer, output, called string) error {
	if err := oneOfFormats(output, "", "name", "json", "yaml"); err != nil {
		return err
	}
	repo, err := imageRepo(called)
	if err != nil {
		return err
	}
	registry, err := connectImages(f)
	if err != nil {
		return err
	}
	tags, err := registry.tags(ctx, repo)
	if err != nil {
		return err
	}
	if output == "json" || output == "yaml" {
		return printAs(out, output, map[string]any{"name": repo.Name(), "tags": tags})
	}
	for _, t := range tags {
		if output == "name" {
			t = repo.Tag(t).Name()
		}
		if _, err := fmt.Fprintln(out, t); err != nil {
			return err
		}
	}
	return nil
}

func oneOfFormats(output string, known ...string) error {
	for _, k := range known {
		if output == k {
			return nil
		}
	}
	return fmt.Errorf("--output must be one of %s, not %q", strings.Join(known[1:], ", "), output)
}

// printAs writes a value as JSON or YAML.
func printAs(out io.Writer, format string, v any) error {
	var data []byte
	var err error
	if format == "json" {
		data, err = json.MarshalIndent(v, "", "  ")
		data = append(data, '\n')
	} else {
		data, err = yaml.Marshal(v)
	}
	if err != nil {
		return err
	}
	_, err = out.Write(data)
	return err
}
