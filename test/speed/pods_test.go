package speed

import (
	"encoding/json"
	"fmt"
	"maps"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

const (
	namespace = "default"
	podsPath  = "/api/v1/namespaces/" + namespace + "/pods"
	crowd     = 10_000 // pods in a full cluster
	crowdName = "web-7d4b9c6f5-%05d"
)

const (
	asJSON     = "application/json"
	asProtobuf = "application/vnd.kubernetes.protobuf"
	asTable    = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
)

// samplePod is a pod as workloads have them: some 3.5 KB with its defaults and its managed fields. Nobody schedules it,
// and it has no token: kube-apiserver would have to have a controller manager for that.
func samplePod(name string) *corev1.Pod {
	probe := func(path string) *corev1.Probe {
		return &corev1.Probe{
			ProbeHandler:  corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: path, Port: intstr.FromString("http")}},
			PeriodSeconds: 5, TimeoutSeconds: 2,
		}
	}
	return &corev1.Pod{
		TypeMeta: metav1.TypeMeta{Kind: "Pod", APIVersion: "v1"},
		ObjectMeta: metav1.ObjectMeta{
			Name:        name,
			Labels:      map[string]string{"app": "web", "tier": "front", "pod-template-hash": "7d4b9c6f5"},
			Annotations: map[string]string{"prometheus.io/scrape": "true", "prometheus.io/port": "8080"},
		},
		Spec: corev1.PodSpec{
			SchedulerName: "nobody", AutomountServiceAccountToken: ptr.To(false),
			Containers: []corev1.Container{{
				Name: "web", Image: "registry.example.com/shop/web:1.42.0", Args: []string{"--listen=:8080", "--verbose"},
				Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}},
				Env: []corev1.EnvVar{
					{Name: "DATABASE", Value: "postgres://db.shop.svc:5432/shop"}, {Name: "CACHE", Value: "cache.shop.svc:6379"},
					{Name: "POD_NAME", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}}},
				},
				Resources: corev1.ResourceRequirements{
					Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m"), corev1.ResourceMemory: resource.MustParse("128Mi")},
					Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("256Mi")},
				},
				LivenessProbe: probe("/livez"), ReadinessProbe: probe("/readyz"),
				VolumeMounts: []corev1.VolumeMount{{Name: "config", MountPath: "/etc/web"}},
				SecurityContext: &corev1.SecurityContext{
					AllowPrivilegeEscalation: ptr.To(false), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
				},
			}},
			Volumes: []corev1.Volume{{Name: "config", VolumeSource: corev1.VolumeSource{
				ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "web"}},
			}}},
		},
	}
}

// podPath is where the n-th pod of a full cluster is.
func podPath(n int) string { return podsPath + "/" + fmt.Sprintf(crowdName, n%crowd) }

// create asks for a pod that the server does not have yet.
func (s *server) create(b *testing.B) request {
	pod := samplePod(fmt.Sprintf(crowdName, s.created))
	s.created++
	return request{method: "POST", path: podsPath, accept: asJSON, contentType: asJSON, body: encoded(b, pod)}
}

// model is the first pod as the server has it, without what is that pod's own.
func (s *server) model(b *testing.B, c *conn) *corev1.Pod {
	b.Helper()
	raw, err := c.get(podPath(0))
	if err != nil {
		b.Fatal(err)
	}
	var pod corev1.Pod
	if err := json.Unmarshal(raw, &pod); err != nil {
		b.Fatal(err)
	}
	pod.ObjectMeta = metav1.ObjectMeta{Labels: pod.Labels, Annotations: pod.Annotations, Namespace: pod.Namespace}
	return &pod
}

// update asks for a pod to become another than it ever was.
func (s *server) update(b *testing.B, model *corev1.Pod) request {
	s.changed++
	pod := *model
	pod.Name = fmt.Sprintf(crowdName, s.changed%crowd)
	pod.Labels = maps.Clone(model.Labels)
	pod.Labels["change"] = fmt.Sprint(s.changed)
	return request{method: "PUT", path: podPath(s.changed), accept: asJSON, contentType: asJSON, body: encoded(b, &pod)}
}

// patch asks for the same, briefly.
func (s *server) patch() request {
	s.changed++
	return request{
		method: "PATCH", path: podPath(s.changed), accept: asJSON, contentType: "application/strategic-merge-patch+json",
		body: fmt.Appendf(nil, `{"metadata":{"labels":{"change":"%d"}}}`, s.changed),
	}
}

func encoded(b *testing.B, obj any) []byte {
	b.Helper()
	raw, err := json.Marshal(obj)
	if err != nil {
		b.Fatal(err)
	}
	return raw
}
