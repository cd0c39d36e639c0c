package auth

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// Names inside every kubeconfig that is written here.
const (
	ContextName = "leme"
	ClusterName = "leme"
	AdminUser   = "admin"
)

// WriteKubeconfig signs a certificate for a user and writes a kubeconfig with it inline: mode 0600, in one step.
// server is the API's URL. The context and the cluster are named "leme"; the user "admin", or a node's own name.
func (p *PKI) WriteKubeconfig(path, server, user string, groups, hosts []string) error {
	cert, key, err := p.Issue(user, groups, hosts)
	if err != nil {
		return err
	}
	entry := AdminUser
	if node, ok := strings.CutPrefix(user, NodePrefix); ok {
		entry = node
	}
	c := api.NewConfig()
	c.Clusters[ClusterName] = &api.Cluster{Server: server, CertificateAuthorityData: p.CA()}
	c.AuthInfos[entry] = &api.AuthInfo{ClientCertificateData: cert, ClientKeyData: key}
	c.Contexts[ContextName] = &api.Context{Cluster: ClusterName, AuthInfo: entry, Namespace: "default"}
	c.CurrentContext = ContextName
	data, err := clientcmd.Write(*c)
	if err != nil {
		return fmt.Errorf("encoding the kubeconfig for %q: %w", user, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("making the kubeconfig's folder: %w", err)
	}
	return writeFile(path, data, 0o600)
}
