package server

import (
	"context"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
)

func configMap(name, value string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: map[string]string{"key": value}}
}

// TestClientGo writes and reads in both encodings that client-go has for built-in types.
func TestClientGo(t *testing.T) {
	_, kubeconfig := start(t)
	for _, contentType := range []string{runtime.ContentTypeJSON, runtime.ContentTypeProtobuf} {
		t.Run(contentType, func(t *testing.T) {
			config := rest.CopyConfig(clientConfig(t, kubeconfig))
			config.ContentType, config.AcceptContentTypes = contentType, contentType
			testClient(t, kubernetes.NewForConfigOrDie(config))
		})
	}
}

func testClient(t *testing.T, client kubernetes.Interface) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	maps := client.CoreV1().ConfigMaps("default")
	list, err := maps.List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	w, err := maps.Watch(ctx, metav1.ListOptions{ResourceVersion: list.ResourceVersion, FieldSelector: "metadata.name=one"})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()

	made, err := maps.Create(ctx, configMap("one", "1"), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, w, watch.Added, "1")
	stale := made.DeepCopy()
	made.Data["key"] = "2"
	if _, err := maps.Update(ctx, made, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	expect(t, w, watch.Modified, "2")
	if _, err := maps.Update(ctx, stale, metav1.UpdateOptions{}); !apierrors.IsConflict(err) {
		t.Errorf("an update of a stale object gave %v", err)
	}
	if _, err := maps.Patch(ctx, "one", types.MergePatchType, []byte(`{"data":{"key":"3"}}`), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	expect(t, w, watch.Modified, "3")
	if list, err = maps.List(ctx, metav1.ListOptions{FieldSelector: "metadata.name=one"}); err != nil || len(list.Items) != 1 || list.Items[0].Data["key"] != "3" {
		t.Errorf("the list is %v, %v", list, err)
	}
	got, err := maps.Get(ctx, "one", metav1.GetOptions{})
	if err != nil || got.Data["key"] != "3" || got.Kind != "" && got.Kind != "ConfigMap" {
		t.Errorf("got %v, %v", got, err)
	}
	if err := maps.Delete(ctx, "one", metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(made.UID))}); err != nil {
		t.Fatal(err)
	}
	expect(t, w, watch.Deleted, "3")
	if _, err := maps.Get(ctx, "one", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("after the deletion get gave %v", err)
	}
}

func expect(t *testing.T, w watch.Interface, event watch.EventType, value string) {
	t.Helper()
	e, ok := <-w.ResultChan()
	if !ok {
		t.Fatalf("the watch ended before %s", event)
	}
	m, ok := e.Object.(*corev1.ConfigMap)
	if e.Type != event || !ok || m.Data["key"] != value {
		t.Fatalf("got %s %v, want %s with %s", e.Type, e.Object, event, value)
	}
}

// TestInformer goes the way every controller outside goes: list or stream what there is, then watch.
func TestInformer(t *testing.T) {
	_, kubeconfig := start(t)
	factory := informers.NewSharedInformerFactory(kubernetes.NewForConfigOrDie(clientConfig(t, kubeconfig)), 0)
	lister := factory.Core().V1().Namespaces().Lister()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer factory.Shutdown()
	defer cancel()
	factory.Start(ctx.Done())
	for kind, ok := range factory.WaitForCacheSync(ctx.Done()) {
		if !ok {
			t.Fatalf("%v did not sync", kind)
		}
	}
	if _, err := lister.Get("kube-system"); err != nil {
		t.Error(err)
	}
}

// TestOpenAPI reads the documents as kubectl does: the old one in protobuf, the new ones by their index.
func TestOpenAPI(t *testing.T) {
	_, kubeconfig := start(t)
	client := kubernetes.NewForConfigOrDie(clientConfig(t, kubeconfig)).Discovery()
	old, err := client.OpenAPISchema()
	if err != nil || len(old.Definitions.AdditionalProperties) == 0 {
		t.Errorf("the document in protobuf: %v", err)
	}
	paths, err := client.OpenAPIV3().Paths()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"api/v1", "apis/apps/v1"} {
		if document, ok := paths[path]; !ok {
			t.Errorf("%s is not there", path)
		} else if raw, err := document.Schema("application/json"); err != nil || len(raw) == 0 {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestMetadataClient(t *testing.T) {
	_, kubeconfig := start(t)
	client := metadata.NewForConfigOrDie(clientConfig(t, kubeconfig))
	list, err := client.Resource(corev1.SchemeGroupVersion.WithResource("namespaces")).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Items) != len(firstNamespaces) || list.Items[0].Name != "default" {
		t.Errorf("got %v", list.Items)
	}
}

// TestNodeCredentials: what an agent may do with the kubeconfig that it is given, and what not.
func TestNodeCredentials(t *testing.T) {
	s, _ := start(t)
	path := t.TempDir() + "/kubeconfig"
	if err := s.NodeKubeconfig(path, "n1", []string{"127.0.0.1"}); err != nil {
		t.Fatal(err)
	}
	client := kubernetes.NewForConfigOrDie(clientConfig(t, path))
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1"}}
	if _, err := client.CoreV1().Nodes().Create(t.Context(), node, metav1.CreateOptions{}); err != nil {
		t.Error(err)
	}
	patch := []byte(`{"status":{"phase":"Running"}}`)
	if _, err := client.CoreV1().Nodes().Patch(t.Context(), "n1", types.MergePatchType, patch, metav1.PatchOptions{}, "status"); err != nil {
		t.Error(err)
	}
	if _, err := client.CoreV1().Nodes().Patch(t.Context(), "n2", types.MergePatchType, patch, metav1.PatchOptions{}, "status"); !apierrors.IsForbidden(err) {
		t.Errorf("another node's status: %v", err)
	}
	_, err := client.CoreV1().ConfigMaps("default").Create(t.Context(), configMap("mine", ""), metav1.CreateOptions{})
	const want = `configmaps is forbidden: User "system:node:n1" cannot create resource "configmaps" in API group "" in the namespace "default"`
	if !apierrors.IsForbidden(err) || len(err.Error()) < len(want) || err.Error()[:len(want)] != want {
		t.Errorf("got %v", err)
	}
}
