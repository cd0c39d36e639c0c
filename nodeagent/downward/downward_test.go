package downward

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func pod() *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "ns", UID: "u", Labels: map[string]string{"b": "2", "a": `1"`}},
		Spec: corev1.PodSpec{NodeName: "n", ServiceAccountName: "sa", Containers: []corev1.Container{{Name: "c",
			Resources: corev1.ResourceRequirements{
				Limits:   corev1.ResourceList{"cpu": resource.MustParse("1500m")},
				Requests: corev1.ResourceList{"memory": resource.MustParse("100Mi")}}}}},
		Status: corev1.PodStatus{PodIP: "10.0.0.2", PodIPs: []corev1.PodIP{{IP: "10.0.0.2"}, {IP: "fd::2"}}},
	}
}

func TestField(t *testing.T) {
	for path, want := range map[string]string{
		"metadata.name": "p", "metadata.uid": "u", "spec.nodeName": "n", "status.podIP": "10.0.0.2",
		"status.podIPs": "10.0.0.2,fd::2", "metadata.labels": "a=\"1\\\"\"\nb=\"2\"",
		"metadata.labels['b']": "2", "metadata.annotations['none']": "",
	} {
		got, err := Resolver{}.Field(pod(), &corev1.ObjectFieldSelector{FieldPath: path})
		if err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", path, got, err, want)
		}
	}
	if _, err := (Resolver{}).Field(pod(), &corev1.ObjectFieldSelector{FieldPath: "spec.tolerations"}); err == nil {
		t.Error("an unsupported path was accepted")
	}
}

func TestResource(t *testing.T) {
	r := Resolver{Allocatable: func() corev1.ResourceList {
		return corev1.ResourceList{"memory": resource.MustParse("1Gi")}
	}}
	for _, c := range []struct{ resource, divisor, want string }{
		{"limits.cpu", "", "2"}, {"limits.cpu", "1m", "1500"}, {"limits.memory", "1Mi", "1024"},
		{"requests.memory", "", "104857600"}, {"requests.memory", "30Mi", "4"}, {"requests.cpu", "", "0"},
	} {
		ref := &corev1.ResourceFieldSelector{ContainerName: "c", Resource: c.resource}
		if c.divisor != "" {
			ref.Divisor = resource.MustParse(c.divisor)
		}
		if got, err := r.Resource(pod(), ref); err != nil || got != c.want {
			t.Errorf("%v: got %s, %v", c, got, err)
		}
	}
}
