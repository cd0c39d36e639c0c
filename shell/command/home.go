package command

import (
	"os"
	"path/filepath"
)

// Home is $LEME_HOME, where Leme keeps its things: /var/lib/leme for root, else ~/.local/share/leme.
func Home() string {
	if home := os.Getenv("LEME_HOME"); home != "" {
		return home
	}
	if os.Geteuid() == 0 {
		return "/var/lib/leme"
	}
	user, err := os.UserHomeDir()
	if err != nil {
		return "/var/lib/leme"
	}
	return filepath.Join(user, ".local", "share", "leme")
}

// ownKubeconfig is the kubeconfig that `leme up` wrote, unless $KUBECONFIG names another or there is none; then it is
// empty, and client-go's own rules lead to $KUBECONFIG or ~/.kube/config.
func ownKubeconfig() string {
	if os.Getenv("KUBECONFIG") != "" {
		return ""
	}
	path := filepath.Join(Home(), "kubeconfig")
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}
