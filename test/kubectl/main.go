// Command kubectl is kubectl itself, of the version whose API the server speaks, for the tests: nothing in it is ours.
package main

import (
	"os"

	"k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
)

func main() {
	if err := cmd.NewDefaultKubectlCommand().Execute(); err != nil {
		util.CheckErr(err)
		os.Exit(1)
	}
}
