package pod

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestInadmissible(t *testing.T) {
	sysctls, err := AllowedSysctls("6.1.0-13-amd64", []string{"kernel.msg*", "net.core.somaxconn", "user.max_user_namespaces"})
	if err != nil {
		t.Fatal(err)
	}
	sets := func(name string, mods ...func(*corev1.PodSpec)) func(*corev1.PodSpec) {
		return func(s *corev1.PodSpec) {
			s.SecurityContext = &corev1.PodSecurityContext{Sysctls: []corev1.Sysctl{{Name: name, Value: "1"}}}
			for _, mod := range mods {
				mod(s)
			}
		}
	}
	confined := func(kind corev1.AppArmorProfileType) *corev1.AppArmorProfile {
		return &corev1.AppArmorProfile{Type: kind}
	}
	for _, c := range []struct {
		name    string
		mod     func(*corev1.PodSpec)
		host    Host
		verdict string
	}{
		{"plain", func(*corev1.PodSpec) {}, Host{}, ""},
		{"linux", func(s *corev1.PodSpec) { s.OS = &corev1.PodOS{Name: corev1.Linux} }, Host{}, ""},
		{"windows", func(s *corev1.PodSpec) { s.OS = &corev1.PodOS{Name: corev1.Windows} }, Host{},
			"PodOSNotSupported: Failed to admit pod as the OS field doesn't match node OS"},
		{"safe sysctl", sets("net.ipv4.tcp_syncookies"), Host{}, ""},
		{"safe sysctl with slashes", sets("net/ipv4/tcp_keepalive_time"), Host{}, ""},
		{"allowed sysctl", sets("net.core.somaxconn"), Host{}, ""},
		{"allowed beginning", sets("kernel.msgmax"), Host{}, ""},
		{"unsafe sysctl", sets("kernel.shmmax"), Host{}, `SysctlForbidden: forbidden sysctl: "kernel.shmmax" not allowlisted`},
		{"the host's network", sets("net.core.somaxconn", func(s *corev1.PodSpec) { s.HostNetwork = true }), Host{},
			`SysctlForbidden: forbidden sysctl: "net.core.somaxconn" not allowed with host Net enabled`},
		{"the host's IPC", sets("kernel.msgmax", func(s *corev1.PodSpec) { s.HostIPC = true }), Host{},
			`SysctlForbidden: forbidden sysctl: "kernel.msgmax" not allowed with host IPC enabled`},
		{"the host's users", sets("user.max_user_namespaces"), Host{},
			`SysctlForbidden: forbidden sysctl: "user.max_user_namespaces" not allowed with host User enabled`},
		{"AppArmor", func(s *corev1.PodSpec) {
			s.SecurityContext = &corev1.PodSecurityContext{AppArmorProfile: confined(corev1.AppArmorProfileTypeRuntimeDefault)}
		}, Host{}, "AppArmor: Cannot enforce AppArmor: AppArmor is not enabled on the host"},
		{"AppArmor of a container", func(s *corev1.PodSpec) {
			s.Containers[0].SecurityContext = &corev1.SecurityContext{AppArmorProfile: confined(corev1.AppArmorProfileTypeLocalhost)}
		}, Host{}, "AppArmor: Cannot enforce AppArmor: AppArmor is not enabled on the host"},
		{"AppArmor where there is one", func(s *corev1.PodSpec) {
			s.SecurityContext = &corev1.PodSecurityContext{AppArmorProfile: confined(corev1.AppArmorProfileTypeRuntimeDefault)}
		}, Host{AppArmor: true}, ""},
		{"no AppArmor", func(s *corev1.PodSpec) {
			s.SecurityContext = &corev1.PodSecurityContext{AppArmorProfile: confined(corev1.AppArmorProfileTypeUnconfined)}
		}, Host{}, ""},
	} {
		p := web()
		c.mod(&p.Spec)
		v := Inadmissible(p, c.host, sysctls)
		got := v.Reason
		if got != "" {
			got += ": " + v.Message
		}
		if got != c.verdict {
			t.Errorf("%s: got %s, want %s", c.name, got, c.verdict)
		}
	}
}

func TestAllowedSysctls(t *testing.T) {
	if _, err := AllowedSysctls("6.1.0", []string{"vm.swappiness"}); err == nil {
		t.Error("a sysctl of the whole machine was allowed")
	}
	old, err := AllowedSysctls("4.4.0-generic", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := old.namespace("net.ipv4.tcp_rmem"); ok {
		t.Error("a sysctl is allowed that the kernel does not keep apart")
	}
}

// TestRejected: a pod that its node does not let in has failed, and says why.
func TestRejected(t *testing.T) {
	b := newBed(t, newEngine("img:1"), bound(func(p *corev1.Pod) {
		p.Spec.SecurityContext = &corev1.PodSecurityContext{Sysctls: []corev1.Sysctl{{Name: "kernel.shmmax", Value: "1"}}}
	}))
	b.until("failed", b.phase("web", corev1.PodFailed))
	const why = `forbidden sysctl: "kernel.shmmax" not allowlisted`
	if s := b.pod("web").Status; s.Reason != "SysctlForbidden" || s.Message != "Pod was rejected: "+why {
		t.Errorf("status %s: %s", s.Reason, s.Message)
	}
	if !b.events.has("SysctlForbidden "+why) || len(b.engine.list("")) != 0 {
		t.Errorf("containers, or no event in %s", b.events)
	}
}
