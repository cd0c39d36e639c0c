package command

import (
	"github.com/spf13/cobra"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/kubectl/pkg/cmd/config"
)

// newConfig is kubectl's config on the kubeconfig that the other commands use.
func newConfig(e Env) *cobra.Command {
	paths := clientcmd.NewDefaultPathOptions()
	if own := ownKubeconfig(); own != "" {
		paths.GlobalFile = own
		paths.LoadingRules.Precedence = []string{own}
	}
	return config.NewCmdConfig(e.Factory, paths, e.Streams)
}
