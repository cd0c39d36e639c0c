package command

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/version"
	"sigs.k8s.io/yaml"
)

type versionOptions struct {
	env        Env
	clientOnly bool
	output     string
}

// versions is the answer in the shape that kubectl gives it, so that scripts read both.
type versions struct {
	Client *version.Info `json:"clientVersion,omitempty"`
	Server *version.Info `json:"serverVersion,omitempty"`
}

func newVersion(e Env) *cobra.Command {
	o := versionOptions{env: e}
	c := &cobra.Command{
		Use:   "version",
		Short: "Show the versions of this program and of the cluster",
		Long:  "Show the versions of this program and of the cluster's server. Fails when the server does not answer.",
		Example: `  # Both versions
  leme version

  # Only this program's, for a script
  leme version --client -o json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	c.Flags().BoolVar(&o.clientOnly, "client", false, "Show this program's version only; needs no server.")
	c.Flags().StringVarP(&o.output, "output", "o", "", "Output format: json or yaml.")
	return c
}

func (o versionOptions) run(ctx context.Context) error {
	if o.output != "" && o.output != "json" && o.output != "yaml" {
		return fmt.Errorf("--output must be json or yaml, not %q", o.output)
	}
	found := versions{Client: clientVersion(o.env.Parts.Version)}
	var away error
	if !o.clientOnly {
		found.Server, away = o.server()
	}
	if err := o.print(found); err != nil {
		return err
	}
	return reported(away)
}

// server asks the server itself: a cached answer would say nothing about now.
func (o versionOptions) server() (*version.Info, error) {
	discovery, err := o.env.Factory.ToDiscoveryClient()
	if err != nil {
		return nil, err
	}
	return discovery.ServerVersion()
}

func (o versionOptions) print(v versions) error {
	switch o.output {
	case "json":
		text, err := json.MarshalIndent(v, "", "  ")
		return write(o.env.Streams.Out, string(text)+"\n", err)
	case "yaml":
		text, err := yaml.Marshal(v)
		return write(o.env.Streams.Out, string(text), err)
	}
	text := fmt.Sprintf("Client Version: %s (%s, %s)\n", v.Client.GitVersion, v.Client.GoVersion, v.Client.Platform)
	if v.Server != nil {
		text += fmt.Sprintf("Server Version: %s (%s)\n", v.Server.GitVersion, v.Server.Platform)
	}
	return write(o.env.Streams.Out, text, nil)
}

func write(w io.Writer, text string, err error) error {
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, text)
	return err
}

// clientVersion is this program's version: the Kubernetes release whose API it speaks, with Leme's own behind the plus.
func clientVersion(own string) *version.Info {
	info := &version.Info{
		GoVersion: runtime.Version(), Compiler: runtime.Compiler,
		Platform: runtime.GOOS + "/" + runtime.GOARCH,
	}
	release := "0.0"
	build, ok := debug.ReadBuildInfo()
	if ok {
		release = readBuild(build, info)
	}
	info.GitVersion = "v1." + release + "+leme-" + cmp.Or(own, "unknown")
	info.Major = "1"
	info.Minor, _, _ = strings.Cut(release, ".")
	return info
}

// readBuild fills in the commit and returns the release of client-go, whose v0.37.2 belongs to Kubernetes v1.37.2,
// without its "v0.".
func readBuild(build *debug.BuildInfo, info *version.Info) string {
	for _, s := range build.Settings {
		switch s.Key {
		case "vcs.revision":
			info.GitCommit = s.Value
		case "vcs.time":
			info.BuildDate = s.Value
		}
	}
	for _, m := range build.Deps {
		if m.Path == "k8s.io/client-go" {
			return strings.TrimPrefix(m.Version, "v0.")
		}
	}
	return "0.0"
}
