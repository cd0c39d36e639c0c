package pod

import (
	"bufio"
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Where the host keeps its resolver configuration. systemd-resolved's stub is of no use inside a pod: its address is
// the host's own loopback.
const (
	hostResolvConf    = "/etc/resolv.conf"
	systemdResolvConf = "/run/systemd/resolve/resolv.conf"
)

// Limits of the resolver (resolv.conf(5)) and of Kubernetes.
const (
	maxNameservers = 3
	maxSearches    = 32
)

// HostDNS reads the host's resolver configuration, which is what pods get unless they ask for another.
func HostDNS() (DNS, error) {
	text, err := os.ReadFile(hostResolvConf)
	if os.IsNotExist(err) {
		return DNS{}, nil
	} else if err != nil {
		return DNS{}, fmt.Errorf("reading the host's resolver configuration: %w", err)
	}
	d := parseResolvConf(text)
	if d.onlyLoopback() {
		if text, err := os.ReadFile(systemdResolvConf); err == nil {
			return parseResolvConf(text), nil
		}
	}
	return d, nil
}

func parseResolvConf(text []byte) DNS {
	var d DNS
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 {
			continue
		}
		switch fields[0] {
		case "nameserver":
			d.Servers = append(d.Servers, fields[1])
		case "search", "domain":
			d.Searches = fields[1:]
		case "options":
			d.Options = append(d.Options, fields[1:]...)
		}
	}
	return d
}

func (d DNS) onlyLoopback() bool {
	for _, s := range d.Servers {
		if a, err := netip.ParseAddr(s); err != nil || !a.IsLoopback() {
			return false
		}
	}
	return len(d.Servers) > 0
}

// podDNS applies a pod's dnsPolicy and dnsConfig. The cluster has no name server of its own: ClusterFirst is Default.
func podDNS(pod *corev1.Pod, host DNS) DNS {
	var d DNS
	if pod.Spec.DNSPolicy != corev1.DNSNone {
		d = DNS{slices.Clone(host.Servers), slices.Clone(host.Searches), slices.Clone(host.Options)}
	}
	if own := pod.Spec.DNSConfig; own != nil {
		d.Servers = union(d.Servers, own.Nameservers)
		d.Searches = union(d.Searches, own.Searches)
		d.Options = mergeOptions(d.Options, own.Options)
	}
	d.Servers = d.Servers[:min(len(d.Servers), maxNameservers)]
	d.Searches = d.Searches[:min(len(d.Searches), maxSearches)]
	return d
}

func union(list, more []string) []string {
	for _, s := range more {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

// mergeOptions lets a pod's options replace those of the same name.
func mergeOptions(list []string, own []corev1.PodDNSConfigOption) []string {
	for _, o := range own {
		list = slices.DeleteFunc(list, func(have string) bool {
			name, _, _ := strings.Cut(have, ":")
			return name == o.Name
		})
		text := o.Name
		if o.Value != nil && *o.Value != "" {
			text += ":" + *o.Value
		}
		list = append(list, text)
	}
	return list
}

// file is the configuration as resolv.conf.
func (d DNS) file() []byte {
	var b bytes.Buffer
	if len(d.Searches) > 0 {
		fmt.Fprintf(&b, "search %s\n", strings.Join(d.Searches, " "))
	}
	for _, s := range d.Servers {
		fmt.Fprintf(&b, "nameserver %s\n", s)
	}
	if len(d.Options) > 0 {
		fmt.Fprintf(&b, "options %s\n", strings.Join(d.Options, " "))
	}
	return b.Bytes()
}
