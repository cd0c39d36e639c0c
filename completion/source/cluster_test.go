package source_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"leme/completion"
	"leme/completion/source"
	"leme/server"
)

const patience = 20 * time.Second

// serve starts a real server and returns a client of it and how completion finds it.
func serve(t *testing.T) (*kubernetes.Clientset, func(kubeconfig, context string) clientcmd.ClientConfig) {
	t.Helper()
	home := t.TempDir()
	s, err := server.New(server.Config{Home: home, Listen: "127.0.0.1:0", Advertise: "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	<-s.Ready()
	kubeconfig := filepath.Join(home, "kubeconfig")
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	find := func(_, name string) clientcmd.ClientConfig {
		return clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
			&clientcmd.ClientConfigLoadingRules{ExplicitPath: kubeconfig}, &clientcmd.ConfigOverrides{CurrentContext: name})
	}
	return kubernetes.NewForConfigOrDie(config), find
}

var configMaps = completion.Type{Version: "v1", Resource: "configmaps", Namespaced: true}

func makeConfigMap(t *testing.T, client *kubernetes.Clientset, name string) {
	t.Helper()
	_, err := client.CoreV1().ConfigMaps("default").Create(t.Context(), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Data: map[string]string{"a": "1", "b": "2"},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

func names(objects []completion.Object) []string {
	var all []string
	for _, o := range objects {
		all = append(all, o.Name)
	}
	return all
}

func TestOneShot(t *testing.T) {
	client, find := serve(t)
	makeConfigMap(t, client, "settings")
	replicas := int32(0)
	labels := map[string]string{"app": "web"}
	if _, err := client.AppsV1().Deployments("default").Create(t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{
				Containers:     []corev1.Container{{Name: "main", Image: "a:1"}},
				InitContainers: []corev1.Container{{Name: "first", Image: "b:1"}},
			}},
		},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	cluster := source.New(t.Context(), source.Config{ClientConfig: find, Wait: patience})
	scope := completion.Scope{}

	types := cluster.Types(scope)
	i := slices.IndexFunc(types, func(t completion.Type) bool { return t.Resource == "deployments" })
	if i < 0 || !types[i].Scalable || !types[i].Namespaced || !slices.Contains(types[i].Short, "deploy") || types[i].Group != "apps" {
		t.Errorf("types: %+v", types)
	}
	objects := cluster.Objects(scope, configMaps)
	i = slices.IndexFunc(objects, func(o completion.Object) bool { return o.Name == "settings" })
	if i < 0 || objects[i].Description != "2" {
		t.Errorf("ConfigMaps: %+v", objects)
	}
	if got := strings.Join(names(cluster.Objects(completion.Scope{Namespace: "kube-public"}, configMaps)), " "); strings.Contains(got, "settings") {
		t.Errorf("ConfigMaps of another namespace: %s", got)
	}
	if got := strings.Join(names(cluster.Containers(scope, "deploy/web")), " "); got != "main first" {
		t.Errorf("containers: %s", got)
	}
	if got := cluster.Contexts(scope); len(got) != 1 || got[0].Name != "leme" {
		t.Errorf("contexts: %+v", got)
	}
}

func TestASessionFollows(t *testing.T) {
	client, find := serve(t)
	cluster := source.New(t.Context(), source.Config{ClientConfig: find, Follow: true})
	awaitName := func(name string, there bool) {
		t.Helper()
		deadline := time.After(patience)
		for {
			changed := cluster.Changed()
			if slices.Contains(names(cluster.Objects(completion.Scope{}, configMaps)), name) == there {
				return
			}
			select {
			case <-changed:
			case <-deadline:
				t.Fatalf("%s offered: still not %t", name, there)
			}
		}
	}
	if got := cluster.Objects(completion.Scope{}, configMaps); len(got) != 0 {
		t.Errorf("the first question waited for the server: %+v", got)
	}
	makeConfigMap(t, client, "before")
	awaitName("before", true)
	makeConfigMap(t, client, "after")
	awaitName("after", true)
	if err := client.CoreV1().ConfigMaps("default").Delete(t.Context(), "before", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	awaitName("before", false)
	awaitName("after", true)
}

func TestNoServerMeansNoCandidates(t *testing.T) {
	find := func(string, string) clientcmd.ClientConfig {
		return clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
			&clientcmd.ClientConfigLoadingRules{ExplicitPath: filepath.Join(t.TempDir(), "none")}, &clientcmd.ConfigOverrides{})
	}
	cluster := source.New(t.Context(), source.Config{ClientConfig: find, Wait: patience})
	if got := cluster.Types(completion.Scope{}); len(got) != 0 {
		t.Errorf("types: %+v", got)
	}
	if got := cluster.Objects(completion.Scope{}, configMaps); len(got) != 0 {
		t.Errorf("objects: %+v", got)
	}
	if got := cluster.Contexts(completion.Scope{}); len(got) != 0 {
		t.Errorf("contexts: %+v", got)
	}
}
