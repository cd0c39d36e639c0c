package test

import (
	"os"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// contains checks that a container printed all of the texts.
func contains(t *testing.T, what, got string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(got, text) {
			t.Errorf("%s: no %q in\n%s", what, text, got)
		}
	}
}

// TestPodNames: what a pod is called, and where it looks names up.
func TestPodNames(t *testing.T) {
	t.Parallel()
	s := sharedSpace(t)
	printed := func(t *testing.T, name, steps string, change func(*corev1.PodSpec)) string {
		t.Helper()
		s.finished(t, s.tool(t, name, steps, never, func(p *corev1.Pod) { change(&p.Spec) }))
		return s.log(t, name, "c")
	}
	t.Run("hostname", func(t *testing.T) {
		got := printed(t, "named", "cat /proc/sys/kernel/hostname /etc/hosts", func(s *corev1.PodSpec) {
			s.Hostname, s.Subdomain = "one", "sub"
			s.HostAliases = []corev1.HostAlias{{IP: "192.0.2.7", Hostnames: []string{"alias.example", "alias"}}}
		})
		contains(t, "names", got, "one\n", "one.sub."+s.namespace+".svc.cluster.local\tone\n", "192.0.2.7\talias.example\talias\n")
	})
	t.Run("whole name", func(t *testing.T) {
		got := printed(t, "whole", "cat /proc/sys/kernel/hostname", func(s *corev1.PodSpec) {
			s.Hostname, s.Subdomain, s.SetHostnameAsFQDN = "a", "b", ptr(true)
		})
		same(t, "names", got, "a.b."+s.namespace+".svc.cluster.local")
	})
	t.Run("too long a whole name", func(t *testing.T) {
		s.run(t, s.tool(t, "long", "stay", func(p *corev1.Pod) {
			p.Spec.Hostname, p.Spec.Subdomain, p.Spec.SetHostnameAsFQDN = strings.Repeat("a", 60), "b", ptr(true)
		}))
		s.told(t, "long", "FailedCreatePodSandBox: Failed to create pod sandbox: failed to construct FQDN from pod hostname and cluster domain, FQDN "+strings.Repeat("a", 60)+".b.")
	})
	t.Run("in place of any other", func(t *testing.T) {
		got := printed(t, "other", "cat /proc/sys/kernel/hostname", func(s *corev1.PodSpec) {
			s.Hostname, s.HostnameOverride = "one", ptr("my.machine.example")
		})
		same(t, "names", got, "my.machine.example")
	})
	t.Run("resolver", func(t *testing.T) {
		got := printed(t, "resolver", "cat /etc/resolv.conf", func(s *corev1.PodSpec) {
			s.DNSPolicy = corev1.DNSNone
			s.DNSConfig = &corev1.PodDNSConfig{Nameservers: []string{"192.0.2.53"}, Searches: []string{"a.example"},
				Options: []corev1.PodDNSConfigOption{{Name: "ndots", Value: ptr("2")}, {Name: "rotate"}}}
		})
		same(t, "resolver", got, "search a.example", "nameserver 192.0.2.53", "options ndots:2 rotate")
	})
}

// TestPodNamespaces: which of its host's namespaces a pod is in.
func TestPodNamespaces(t *testing.T) {
	t.Parallel()
	s := sharedSpace(t)
	for _, namespace := range []string{"pid", "ipc"} {
		link, err := os.Readlink("/proc/self/ns/" + namespace)
		must(t, err)
		for name, change := range map[string]func(*corev1.PodSpec){
			"own":  func(*corev1.PodSpec) {},
			"host": func(s *corev1.PodSpec) { s.HostPID, s.HostIPC = true, true },
		} {
			name = namespace + "-" + name
			s.finished(t, s.tool(t, name, "link /proc/self/ns/"+namespace, never, func(p *corev1.Pod) { change(&p.Spec) }))
			if got := strings.TrimSpace(s.log(t, name, "c")); (got == link) != strings.HasSuffix(name, "host") {
				t.Errorf("%s: the container is in %s, the host in %s", name, got, link)
			}
		}
	}
}
