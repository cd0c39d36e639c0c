package server

import (
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

func TestAgentsReachWhatTheirPodsName(t *testing.T) {
	s, kubeconfig := start(t)
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := s.NodeKubeconfig(path, "n1", []string{"127.0.0.1"}); err != nil {
		t.Fatal(err)
	}
	admin, agent := kubernetes.NewForConfigOrDie(clientConfig(t, kubeconfig)), kubernetes.NewForConfigOrDie(clientConfig(t, path))
	for _, name := range []string{"named", "hidden"} {
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}}
		if _, err := admin.CoreV1().Secrets("default").Create(ctx, secret, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := agent.CoreV1().Nodes().Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1"}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	_, err := agent.CoreV1().Nodes().Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n2"}}, metav1.CreateOptions{})
	refused(t, err, `node "n1" is not allowed to modify node "n2"`)
	one := metav1.ListOptions{FieldSelector: "metadata.name=named"}
	_, err = agent.CoreV1().Secrets("default").Watch(ctx, one)
	refused(t, err, "no relationship found between node 'n1' and this object")

	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: corev1.PodSpec{
		NodeName:   "n1",
		Containers: []corev1.Container{{Name: "web", Image: "web:1"}},
		Volumes:    []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "named"}}}},
	}}
	pods := admin.CoreV1().Pods("default")
	if _, err := pods.Create(ctx, pod, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the agent watches its pod's secret", func() bool {
		w, err := agent.CoreV1().Secrets("default").Watch(ctx, one)
		if err == nil {
			w.Stop()
		}
		return err == nil
	})
	_, err = agent.CoreV1().Secrets("default").Get(ctx, "hidden", metav1.GetOptions{})
	refused(t, err, "no relationship found")
	_, err = agent.CoreV1().Pods("").List(ctx, metav1.ListOptions{})
	refused(t, err, "can only list/watch pods with spec.nodeName field selector")
	mine, err := agent.CoreV1().Pods("").List(ctx, metav1.ListOptions{FieldSelector: "spec.nodeName=n1"})
	if err != nil || len(mine.Items) != 1 {
		t.Errorf("its pods: %v, %v", mine, err)
	}
	if err := agent.CoreV1().Pods("default").Delete(ctx, "web", *metav1.NewDeleteOptions(0)); err != nil {
		t.Errorf("ending its pod: %v", err)
	}
}
