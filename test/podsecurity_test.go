package test

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// hasCapability says whether processes of this machine can have a capability.
func hasCapability(t *testing.T, capability uintptr) bool {
	t.Helper()
	has, _, errno := unix.RawSyscall6(unix.SYS_PRCTL, unix.PR_CAPBSET_READ, capability, 0, 0, 0, 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	return has == 1
}

// TestPodSecurity: what the kernel lets a container do.
func TestPodSecurity(t *testing.T) {
	t.Parallel()
	s := sharedSpace(t)
	printed := func(t *testing.T, name, steps string, change func(*corev1.PodSpec)) string {
		t.Helper()
		s.finished(t, s.tool(t, name, steps, never, func(p *corev1.Pod) { change(&p.Spec) }))
		return s.log(t, name, "c")
	}
	profile := func(kind corev1.SeccompProfileType, file *string) func(*corev1.PodSpec) {
		return func(s *corev1.PodSpec) {
			s.SecurityContext = &corev1.PodSecurityContext{SeccompProfile: &corev1.SeccompProfile{Type: kind, LocalhostProfile: file}}
		}
	}
	t.Run("seccomp", func(t *testing.T) {
		contains(t, "no profile", printed(t, "none", "cat /proc/self/status", func(*corev1.PodSpec) {}), "Seccomp:\t2")
		contains(t, "default", printed(t, "default", "cat /proc/self/status", profile(corev1.SeccompProfileTypeRuntimeDefault, nil)), "Seccomp:\t2")
		contains(t, "unconfined", printed(t, "unconfined", "cat /proc/self/status", profile(corev1.SeccompProfileTypeUnconfined, nil)), "Seccomp:\t0")
	})
	t.Run("a profile of the node", func(t *testing.T) {
		dir := filepath.Join(s.home, "agent", "seccomp", "tests")
		must(t, os.MkdirAll(dir, 0o755))
		must(t, os.WriteFile(filepath.Join(dir, "keep.json"),
			[]byte(`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["unlinkat","unlink"],"action":"SCMP_ACT_ERRNO"}]}`), 0o600))
		contains(t, "its own", printed(t, "own", "write /tmp/x x then remove /tmp/x", profile(corev1.SeccompProfileTypeLocalhost, ptr("tests/keep.json"))), "operation not permitted")
		s.run(t, s.tool(t, "missing", "stay", func(p *corev1.Pod) { profile(corev1.SeccompProfileTypeLocalhost, ptr("none.json"))(&p.Spec) }))
		s.told(t, "missing", "Failed: Error: creating container c: reading the seccomp profile: ")
	})
	t.Run("privileged", func(t *testing.T) {
		s.finished(t, s.tool(t, "privileged", "cat /proc/self/status", never, func(p *corev1.Pod) {
			p.Spec.Containers[0].SecurityContext = &corev1.SecurityContext{Privileged: ptr(true)}
		}))
		if !hasCapability(t, unix.CAP_SYS_RESOURCE) { // which the host of this machine, being one itself, may keep from it
			s.told(t, "privileged", `Failed: Error: failed to start container "c": `)
			return
		}
		contains(t, "what it may", s.log(t, "privileged", "c"), "Seccomp:\t0", "NoNewPrivs:\t0")
	})
	t.Run("sysctls", func(t *testing.T) {
		set := func(name, value string) func(*corev1.PodSpec) {
			return func(s *corev1.PodSpec) {
				s.SecurityContext = &corev1.PodSecurityContext{Sysctls: []corev1.Sysctl{{Name: name, Value: value}}}
			}
		}
		same(t, "safe", printed(t, "safe", "cat /proc/sys/net/ipv4/ip_unprivileged_port_start", set("net.ipv4.ip_unprivileged_port_start", "77")), "77")
		p := s.finished(t, s.tool(t, "unsafe", "stay", func(p *corev1.Pod) { set("kernel.msgmax", "9000")(&p.Spec) }))
		if p.Status.Phase != corev1.PodFailed || p.Status.Reason != "SysctlForbidden" {
			t.Errorf("the pod is %s: %s", p.Status.Phase, p.Status.Reason)
		}
		s.told(t, "unsafe", `SysctlForbidden: forbidden sysctl: "kernel.msgmax" not allowlisted`)
	})
	t.Run("runtimes", func(t *testing.T) {
		for name, handler := range map[string]string{"known": "runc", "unknown": "kata"} {
			class := s.namespace + "-" + name
			_, err := s.client.NodeV1().RuntimeClasses().Create(t.Context(),
				&nodev1.RuntimeClass{ObjectMeta: metav1.ObjectMeta{Name: class}, Handler: handler}, metav1.CreateOptions{})
			must(t, err)
			s.run(t, s.tool(t, name, "stay", func(p *corev1.Pod) { p.Spec.RuntimeClassName = &class }))
		}
		s.until(t, "known", "ready", isReady)
		s.told(t, "unknown", "FailedCreatePodSandBox: Failed to create pod sandbox: ")
	})
}
