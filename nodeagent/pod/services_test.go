package pod

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestServicesThatPodsAreToldOf(t *testing.T) {
	service := func(namespace, name string) *corev1.Service {
		return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	}
	for _, c := range []struct {
		name, api string
		mod       func(*corev1.Pod)
		want      []string
	}{
		{"its namespace's", "192.0.2.1:6443", func(*corev1.Pod) {}, []string{"default/kubernetes", "ns/db", "ns/web"}},
		{"none but the API", "192.0.2.1:6443", func(p *corev1.Pod) { p.Spec.EnableServiceLinks = ptr(false) }, []string{"default/kubernetes"}},
		{"the API once", "192.0.2.1:6443", func(p *corev1.Pod) { p.Namespace = "default" }, []string{"default/kubernetes"}},
		{"no API on the node's loopback", "127.0.0.1:6443", func(p *corev1.Pod) { p.Namespace = "default" }, nil},
		{"but in the node's network", "127.0.0.1:6443", func(p *corev1.Pod) { p.Namespace, p.Spec.HostNetwork = "default", true }, []string{"default/kubernetes"}},
		{"a name", "api.example.com:443", func(p *corev1.Pod) { p.Namespace = "default" }, []string{"default/kubernetes"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServices(c.api)
			if err := s.Replace([]any{service("ns", "web"), service("ns", "db"), service("other", "x"), service("default", "kubernetes")}, "1"); err != nil {
				t.Fatal(err)
			}
			pod := web()
			c.mod(pod)
			list, err := s.of(t.Context(), pod)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range list {
				got = append(got, s.Namespace+"/"+s.Name)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %v", got)
			}
		})
	}
}
