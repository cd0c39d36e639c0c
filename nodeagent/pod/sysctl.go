package pod

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/component-helpers/node/util/sysctl"
)

// safeSysctls have no effect outside of their pod, from this kernel on: Kubernetes' list.
var safeSysctls = []struct{ name, kernel string }{
	{"kernel.shm_rmid_forced", "0"},
	{"net.ipv4.ip_local_port_range", "0"},
	{"net.ipv4.tcp_syncookies", "0"},
	{"net.ipv4.ping_group_range", "0"},
	{"net.ipv4.ip_unprivileged_port_start", "0"},
	{"net.ipv4.ip_local_reserved_ports", "3.16"},
	{"net.ipv4.tcp_keepalive_time", "4.5"},
	{"net.ipv4.tcp_fin_timeout", "4.6"},
	{"net.ipv4.tcp_keepalive_intvl", "4.5"},
	{"net.ipv4.tcp_keepalive_probes", "4.5"},
	{"net.ipv4.tcp_rmem", "4.15"},
	{"net.ipv4.tcp_wmem", "4.15"},
	{"net.ipv4.tcp_slow_start_after_idle", "4.15"},
	{"net.ipv4.tcp_notsent_lowat", "4.6"},
}

// Sysctls are the parameters of the kernel that pods of the node may set. The zero value allows none.
type Sysctls struct {
	names, prefixes map[string]sysctl.Namespace
}

// AllowedSysctls are the safe ones of a kernel ("6.18.44-generic") and those that the node's administrator adds, of
// which each may end in an asterisk. Only what the kernel keeps apart for a pod can be allowed.
func AllowedSysctls(kernel string, unsafe []string) (Sysctls, error) {
	s := Sysctls{map[string]sysctl.Namespace{}, map[string]sysctl.Namespace{}}
	running, err := version.ParseGeneric(kernel)
	if err != nil {
		return s, fmt.Errorf("reading the kernel's version: %w", err)
	}
	patterns := unsafe
	for _, safe := range safeSysctls {
		if running.AtLeast(version.MustParseGeneric(safe.kernel + ".0")) {
			patterns = append(patterns, safe.name)
		}
	}
	for _, pattern := range patterns {
		namespace, name, prefixed := sysctl.GetNamespace(pattern)
		switch {
		case namespace == sysctl.UnknownNamespace:
			return s, fmt.Errorf("the sysctls %q are not known to be namespaced", name)
		case prefixed:
			s.prefixes[name] = namespace
		default:
			s.names[name] = namespace
		}
	}
	return s, nil
}

// forbids says which of a pod's sysctls may not be set, and why; empty when all may.
func (s Sysctls) forbids(spec *corev1.PodSpec) string {
	if spec.SecurityContext == nil {
		return ""
	}
	shared := map[sysctl.Namespace]bool{
		sysctl.IPCNamespace: spec.HostIPC, sysctl.NetNamespace: spec.HostNetwork, sysctl.UserNamespace: spec.HostUsers == nil || *spec.HostUsers,
	}
	for _, wanted := range spec.SecurityContext.Sysctls {
		name := sysctl.NormalizeName(wanted.Name)
		namespace, ok := s.namespace(name)
		switch {
		case !ok:
			return fmt.Sprintf("%q not allowlisted", name)
		case shared[namespace]:
			return fmt.Sprintf("%q not allowed with host %s enabled", name, namespace)
		}
	}
	return ""
}

func (s Sysctls) namespace(name string) (n sysctl.Namespace, allowed bool) {
	if n, allowed = s.names[name]; allowed {
		return n, true
	}
	for prefix, n := range s.prefixes {
		if strings.HasPrefix(name, prefix) {
			return n, true
		}
	}
	return "", false
}
