package podsecurity_test

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/pod-security-admission/api"

	"leme/server/podsecurity"
)

func pod(name string, mutate ...func(*corev1.PodSpec)) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "web"}}}}
	for _, m := range mutate {
		m(&p.Spec)
	}
	return p
}

func privileged(s *corev1.PodSpec) {
	s.Containers[0].SecurityContext = &corev1.SecurityContext{Privileged: new(true)}
}

func enforce(level string) podsecurity.Policy {
	p, _ := podsecurity.PolicyOf(map[string]string{api.EnforceLevelLabel: level})
	return p
}

func TestEnforce(t *testing.T) {
	for _, test := range []struct {
		level string
		pod   *corev1.Pod
		want  string
	}{
		{"privileged", pod("p", privileged), ""},
		{"baseline", pod("p"), ""},
		{"baseline", pod("p", privileged),
			`violates PodSecurity "baseline:latest": privileged (container "web" must not set securityContext.privileged=true)`},
		{"baseline", pod("p", func(s *corev1.PodSpec) { s.HostNetwork = true }),
			`violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)`},
		{"restricted", pod("p"),
			`violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "web" must set securityContext.allowPrivilegeEscalation=false), ` +
				`unrestricted capabilities (container "web" must set securityContext.capabilities.drop=["ALL"]), ` +
				`runAsNonRoot != true (pod or container "web" must set securityContext.runAsNonRoot=true), ` +
				`seccompProfile (pod or container "web" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")`},
	} {
		got := ""
		if err := enforce(test.level).Enforce(&test.pod.ObjectMeta, &test.pod.Spec); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", test.level, got, test.want)
		}
	}
}

func TestWrongLabelsAreStrict(t *testing.T) {
	p, errs := podsecurity.PolicyOf(map[string]string{api.EnforceLevelLabel: "loose", api.EnforceVersionLabel: "v2"})
	if len(errs) != 2 {
		t.Errorf("got %v", errs)
	}
	if x := pod("p"); p.Enforce(&x.ObjectMeta, &x.Spec) == nil {
		t.Error("a pod got in")
	}
}

func TestStricter(t *testing.T) {
	for _, test := range []struct {
		now, before string
		want        bool
	}{{"baseline", "privileged", true}, {"restricted", "baseline", true}, {"baseline", "restricted", false}, {"baseline", "baseline", false}, {"privileged", "baseline", false}} {
		if got := enforce(test.now).Stricter(enforce(test.before)); got != test.want {
			t.Errorf("%s after %s: got %t", test.now, test.before, got)
		}
	}
}

func TestExisting(t *testing.T) {
	network := func(s *corev1.PodSpec) { s.HostNetwork = true }
	got := enforce("baseline").Existing("team", []*corev1.Pod{pod("a", privileged), pod("b"), pod("c", privileged), pod("d", network), pod("e", privileged)})
	want := []string{
		`existing pods in namespace "team" violate the new PodSecurity enforce level "baseline:latest"`,
		"a (and 2 other pods): privileged",
		"d: host namespaces",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
