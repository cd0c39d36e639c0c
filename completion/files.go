package completion

import (
	"slices"
	"strings"
)

// fileFlags take a path.
var fileFlags = []string{"-f", "--filename", "-k", "--kustomize", "--kubeconfig", "--from-file", "--from-env-file", "--patch-file", "--certificate-authority", "--client-certificate", "--client-key", "--cert", "--key"}

// TakesFile says that a path can stand behind these words: the caller's shell completes those itself.
func TakesFile(words []string) bool {
	if len(words) == 0 {
		return false
	}
	last, _, _ := strings.Cut(words[len(words)-1], "=")
	return slices.Contains(fileFlags, last) || words[0] == "cp" || words[0] == "kustomize" ||
		len(words) > 1 && words[0] == "image" && slices.Contains([]string{"push", "copy", "build"}, words[1])
}
