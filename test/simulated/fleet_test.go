package simulated

import (
	"context"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"leme/test/loopback"
)

const patience = time.Minute

// startServer runs a whole server until the test ends.
func startServer(t *testing.T) *rest.Config {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", loopback.Server(t))
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1
	return config
}

// startFleet runs agents until the test ends, and returns once they have registered.
func startFleet(ctx context.Context, t *testing.T, c Config) *Fleet {
	t.Helper()
	f, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	running, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.Run(running)
	}()
	t.Cleanup(func() { cancel(); <-done })
	if err := f.Registered(ctx); err != nil {
		t.Fatal(err)
	}
	return f
}

// TestFleet takes a Deployment through its life on simulated nodes: out, crashed, in, and away.
func TestFleet(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	config := startServer(t)
	client := kubernetes.NewForConfigOrDie(config)
	f := startFleet(ctx, t, Config{REST: config, Nodes: 20, Seed: 1, Lease: time.Second, Life: Life{
		Start: Range{0, 100 * time.Millisecond}, Ready: Range{0, 100 * time.Millisecond}, Stop: Range{0, 100 * time.Millisecond},
		Crash: 0.2, Crashed: Range{0, 100 * time.Millisecond}, Back: Range{0, 100 * time.Millisecond},
	}})
	deployments := client.AppsV1().Deployments("default")
	if _, err := deployments.Create(ctx, deployment("web", 60), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	restarts := 0
	eventually(ctx, t, "the Deployment is available, and some have crashed", func() (bool, error) {
		d, err := deployments.Get(ctx, "web", metav1.GetOptions{})
		if err != nil || d.Status.AvailableReplicas != 60 {
			return false, err
		}
		pods, err := client.CoreV1().Pods("default").List(ctx, metav1.ListOptions{})
		if err != nil {
			return false, err
		}
		restarts = 0
		for _, p := range pods.Items {
			restarts += int(p.Status.ContainerStatuses[0].RestartCount)
		}
		return restarts > 0, nil
	})
	lease := func() time.Time {
		l, err := client.CoordinationV1().Leases(corev1.NamespaceNodeLease).Get(ctx, "node-00003", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return l.Spec.RenewTime.Time
	}
	first := lease()
	eventually(ctx, t, "the lease is renewed", func() (bool, error) { return lease().After(first), nil })

	if err := client.CoreV1().Nodes().Delete(ctx, "node-00003", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(ctx, t, "the node registers again", func() (bool, error) {
		_, err := client.CoreV1().Nodes().Get(ctx, "node-00003", metav1.GetOptions{})
		return err == nil, nil
	})
	if _, err := deployments.UpdateScale(ctx, "web", scale("web", 0), metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := f.Await(ctx, func(c Counts) bool { return c.Pods == 0 && c.Ready == 0 }); err != nil {
		t.Fatal(err)
	}
}

func eventually(ctx context.Context, t *testing.T, what string, is func() (bool, error)) {
	t.Helper()
	err := wait.PollUntilContextCancel(ctx, 50*time.Millisecond, true, func(context.Context) (bool, error) { return is() })
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func deployment(name string, replicas int32, mutate ...func(*corev1.PodTemplateSpec)) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	template := corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: labels},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "web:1"}}},
	}
	for _, m := range mutate {
		m(&template)
	}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       appsv1.DeploymentSpec{Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: template},
	}
}

func scale(name string, replicas int32) *autoscalingv1.Scale {
	return &autoscalingv1.Scale{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default"}, Spec: autoscalingv1.ScaleSpec{Replicas: replicas}}
}
