package test

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// deployment is one of a pod of the test program, labelled app=NAME.
func (s space) deployment(t *testing.T, name, steps string, replicas int32, changes ...func(*corev1.Pod)) *appsv1.Deployment {
	t.Helper()
	labels := map[string]string{"app": name}
	pod := s.tool(t, name, steps, changes...)
	d := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: s.namespace},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: pod.Spec},
		},
	}
	made, err := s.client.AppsV1().Deployments(s.namespace).Create(t.Context(), d, metav1.CreateOptions{})
	must(t, err)
	return made
}

// awaitReplicas waits until a deployment has that many ready pods, and wants no others.
func (s space) awaitReplicas(t *testing.T, name string, n int32) {
	t.Helper()
	eventually(t, "as many ready replicas as there should be", func() bool {
		d, err := s.client.AppsV1().Deployments(s.namespace).Get(t.Context(), name, metav1.GetOptions{})
		must(t, err)
		return *d.Spec.Replicas == n && d.Status.ReadyReplicas == n && d.Status.Replicas == n
	})
}

func TestAutoscaling(t *testing.T) {
	c := ownCluster(t)
	c.server = append(c.server, "--metric-resolution", "2s", "--horizontal-pod-autoscaler-sync-period", "2s")
	must(t, c.up())
	s := c.space(t, "default")
	s.deployment(t, "busy", "burn /tmp/busy", 1, func(p *corev1.Pod) {
		p.Spec.Containers[0].Resources = corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("50m")},
			Limits:   corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("200m")},
		}
	})
	s.awaitReplicas(t, "busy", 1)
	pods, err := s.client.CoreV1().Pods(s.namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "app=busy"})
	must(t, err)
	pod := pods.Items[0].Name

	at, least := int32(50), int32(1)
	_, err = s.client.AutoscalingV2().HorizontalPodAutoscalers(s.namespace).Create(t.Context(), &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: "busy"},
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "busy"},
			MinReplicas:    &least, MaxReplicas: 3,
			Metrics: []autoscalingv2.MetricSpec{{Type: autoscalingv2.ResourceMetricSourceType, Resource: &autoscalingv2.ResourceMetricSource{
				Name: corev1.ResourceCPU, Target: autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: &at},
			}}},
			Behavior: &autoscalingv2.HorizontalPodAutoscalerBehavior{
				ScaleDown: &autoscalingv2.HPAScalingRules{StabilizationWindowSeconds: ptr(int32(0))},
			},
		},
	}, metav1.CreateOptions{})
	must(t, err)

	eventually(t, "what the pod uses is known", func() bool {
		return strings.Contains(c.mustKubectl(t, "get", "--raw", "/apis/metrics.k8s.io/v1beta1/namespaces/default/pods"), pod)
	})
	for _, args := range [][]string{
		{"top", "pods"}, {"top", "pods", "-A", "--containers", "--sort-by=memory", "-l", "app=busy"}, {"top", "pod", pod, "--sum"}, {"get", "pods.metrics.k8s.io"},
	} {
		if out := c.mustKubectl(t, args...); !strings.Contains(out, pod) {
			t.Errorf("kubectl %s:\n%s", strings.Join(args, " "), out)
		}
	}
	for _, args := range [][]string{{"top", "nodes"}, {"top", "node", c.node, "--use-protocol-buffers=false"}} {
		if out := c.must(t, args...); !strings.Contains(out, c.node) || !strings.Contains(out, "%") {
			t.Errorf("leme %s:\n%s", strings.Join(args, " "), out)
		}
	}

	s.exec(t, pod, "write", "/tmp/busy", "yes")
	s.awaitReplicas(t, "busy", 3)
	s.exec(t, pod, "remove", "/tmp/busy")
	s.awaitReplicas(t, "busy", 1)
	out := c.mustKubectl(t, "describe", "hpa", "busy")
	for _, want := range []string{
		"New size: 3; reason: cpu resource utilization (percentage of request) above target",
		"New size: 1; reason: All metrics below target", "AbleToScale", "ValidMetricFound",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("it is not said %q:\n%s", want, out)
		}
	}
}
