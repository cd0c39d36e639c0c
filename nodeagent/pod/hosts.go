package pod

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// clusterDomain is the domain of pods with a subdomain.
const clusterDomain = "cluster.local"

// maxHostname is how long a machine's name may be on Linux.
const maxHostname = 64

func checkHostname(name string) error {
	if len(name) <= maxHostname {
		return nil
	}
	return fmt.Errorf("failed to construct FQDN from pod hostname and cluster domain, FQDN %s is too long (%d characters is the max, %d characters requested)",
		name, maxHostname, len(name))
}

// hostname is a pod's own, cut to what Linux allows; domain is empty unless the pod has a subdomain.
func hostname(pod *corev1.Pod, node string) (name, domain string) {
	if o := pod.Spec.HostnameOverride; o != nil && *o != "" {
		return *o, ""
	}
	if pod.Spec.HostNetwork {
		return node, ""
	}
	name = pod.Spec.Hostname
	if name == "" {
		name = strings.TrimRight(pod.Name[:min(len(pod.Name), 63)], "-.")
	}
	if pod.Spec.Subdomain != "" {
		domain = fmt.Sprintf("%s.%s.svc.%s", pod.Spec.Subdomain, pod.Namespace, clusterDomain)
	}
	if full := pod.Spec.SetHostnameAsFQDN; full != nil && *full && domain != "" {
		name += "." + domain
	}
	return name, domain
}

// hostsFile is a pod's /etc/hosts.
func hostsFile(pod *corev1.Pod, ip, name, domain string) ([]byte, error) {
	var b bytes.Buffer
	if pod.Spec.HostNetwork {
		host, err := os.ReadFile("/etc/hosts")
		if err != nil && !os.IsNotExist(err) {
			return nil, fmt.Errorf("reading the host's names: %w", err)
		}
		b.WriteString("# Managed by Leme, from the host's file.\n")
		b.Write(host)
	} else {
		b.WriteString("# Managed by Leme.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n" +
			"fe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n")
		names := name
		if domain != "" && !strings.HasSuffix(name, domain) {
			names = name + "." + domain + "\t" + name
		}
		fmt.Fprintf(&b, "%s\t%s\n", ip, names)
	}
	if len(pod.Spec.HostAliases) > 0 {
		b.WriteString("\n# From the pod's hostAliases.\n")
	}
	for _, alias := range pod.Spec.HostAliases {
		fmt.Fprintf(&b, "%s\t%s\n", alias.IP, strings.Join(alias.Hostnames, "\t"))
	}
	return b.Bytes(), nil
}
