package pod

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// TestUserAndSignal: what a container's status says of who it runs as, and of what ends it.
func TestUserAndSignal(t *testing.T) {
	who := &corev1.LinuxContainerUser{UID: 1000, GID: 1001, SupplementalGroups: []int64{1001, 50}}
	for _, c := range []struct {
		name   string
		have   Container
		mod    func(*View)
		user   *corev1.LinuxContainerUser
		signal string
	}{
		{"created", made("web", 0, Created), func(*View) {}, nil, ""},
		{"found out", made("web", 0, Running), func(*View) {}, who, ""},
		{"not known", made("web", 0, Running), func(v *View) { v.Users = nil }, nil, ""},
		{"told before", made("web", 0, Running), func(v *View) {
			v.Users = nil
			v.Pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "web", ContainerID: "docker://web0", User: &corev1.ContainerUser{Linux: who}}}
		}, who, ""},
		{"told of the one before", made("web", 1, Running), func(v *View) {
			v.Pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "web", ContainerID: "docker://web0", User: &corev1.ContainerUser{Linux: who}}}
		}, nil, ""},
		{"a signal", func() Container { c := made("web", 0, Running); c.StopSignal = "SIGINT"; return c }(), func(v *View) {
			v.Pod.Spec.Containers[0].Lifecycle = &corev1.Lifecycle{StopSignal: ptr(corev1.SIGINT)}
		}, who, "SIGINT"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := view(c.have)
			v.Users = map[string]*corev1.LinuxContainerUser{"web0": who}
			c.mod(v)
			s := v.Status(v.Plan(now), now).ContainerStatuses[0]
			if c.user == nil && s.User != nil || c.user != nil && (s.User == nil || s.User.Linux.UID != c.user.UID || !slices.Equal(s.User.Linux.SupplementalGroups, c.user.SupplementalGroups)) {
				t.Errorf("it runs as %+v", s.User)
			}
			if got := s.StopSignal; c.signal == "" && got != nil || c.signal != "" && (got == nil || string(*got) != c.signal) {
				t.Errorf("it is ended by %v", got)
			}
		})
	}
}

// TestSignalNames: signals have the API's names, however images write them.
func TestSignalNames(t *testing.T) {
	for given, want := range map[string]string{"": "SIGTERM", "15": "SIGTERM", "QUIT": "SIGQUIT", "sigint": "SIGINT", "SIGRTMIN+3": "SIGRTMIN+3", "3": "SIGQUIT"} {
		if got := signalName(given); got != want {
			t.Errorf("%q is %s, want %s", given, got, want)
		}
	}
}
