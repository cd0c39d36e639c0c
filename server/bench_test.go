package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

const podsPath = "/api/v1/namespaces/default/pods"

// BenchmarkServing is what requests cost over TLS and HTTP/2, client included. The benchmarks of test/speed compare it
// with kube-apiserver's.
func BenchmarkServing(b *testing.B) {
	_, kubeconfig := start(b)
	config := clientConfig(b, kubeconfig)
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		b.Fatal(err)
	}
	c := &benchClient{client: client, host: config.Host}
	const pods = 10_000
	var group errgroup.Group
	group.SetLimit(32)
	for i := range pods {
		group.Go(func() error { return c.create(fmt.Sprintf("pod-%05d", i)) })
	}
	if err := group.Wait(); err != nil {
		b.Fatal(err)
	}
	for _, bench := range []struct {
		name, path, accept string
	}{
		{"list as JSON", podsPath, "application/json"},
		{"list as Table", podsPath, "application/json;as=Table;v=v1;g=meta.k8s.io"},
		{"list as protobuf", podsPath, "application/vnd.kubernetes.protobuf"},
		{"get as JSON", podsPath + "/pod-00500", "application/json"},
		{"get as protobuf", podsPath + "/pod-00500", "application/vnd.kubernetes.protobuf"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := c.do(http.MethodGet, bench.path, bench.accept, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	made := 0
	b.Run("create", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			made++
			if err := c.create(fmt.Sprintf("more-%d", made)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

type benchClient struct {
	client *http.Client
	host   string
}

func (c *benchClient) create(name string) error {
	raw, err := json.Marshal(&corev1.Pod{
		TypeMeta:   metav1.TypeMeta{Kind: "Pod", APIVersion: "v1"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"app": "web", "tier": "front"}},
		Spec: corev1.PodSpec{
			SchedulerName: "nobody",
			Containers: []corev1.Container{{
				Name: "web", Image: "registry.example.com/shop/web:1.42.0",
				Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}},
				Env:   []corev1.EnvVar{{Name: "DATABASE", Value: "postgres://db.shop.svc:5432/shop"}},
			}},
		},
	})
	if err != nil {
		return err
	}
	return c.do(http.MethodPost, podsPath, "application/json", raw)
}

// do sends a request, and reads the answer without keeping it.
func (c *benchClient) do(method, path, accept string, body []byte) error {
	r, err := http.NewRequest(method, c.host+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Accept", accept)
	r.Header.Set("Content-Type", "application/json")
	response, err := c.client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: %s", method, path, response.Status)
	}
	return nil
}
