package test

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/stream"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// A large image has so many layers of so many bytes, 1 GB as it is sent.
const (
	largeLayers = 8
	largeLayer  = 1 << 30 / largeLayers
)

// sampleMemory is how often the agent's memory is looked at.
const sampleMemory = 20 * time.Millisecond

// BenchmarkAgentPull reads the most memory that an agent has, in a process of its own, while it pulls a large image from
// a registry on this machine.
func BenchmarkAgentPull(b *testing.B) {
	b.Cleanup(func() {
		if err := removeImages(); err != nil {
			b.Error(err)
		}
	})
	ref := largeImage(b)
	c := benchClusterDown(b)
	_, agent := c.upApart(b)
	pid := fmt.Sprint(agent.cmd.Process.Pid)
	for b.Loop() {
		resident, own := memoryUntilRunning(b, c, pid, ref)
		b.ReportMetric(resident, "MB")
		b.ReportMetric(own, "own-MB")
	}
	b.ReportMetric(0, "ns/op")
}

// largeImage puts an image into a registry of the benchmark's own. What it is made of is on disk, not in memory.
func largeImage(b *testing.B) string {
	b.Helper()
	s := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0)),
		registry.WithBlobHandler(registry.NewDiskBlobHandler(b.TempDir()))))
	b.Cleanup(s.Close)
	img := freshTool(b)
	var layers []v1.Layer
	for i := range largeLayers {
		layers = append(layers, stream.NewLayer(incompressible(i), stream.WithCompressionLevel(gzip.NoCompression)))
	}
	img, err := mutate.AppendLayers(img, layers...)
	if err != nil {
		b.Fatal(err)
	}
	ref, err := name.NewTag(strings.TrimPrefix(s.URL, "http://") + "/leme-test/large:1")
	if err != nil {
		b.Fatal(err)
	}
	if err := remote.Write(ref, img, remote.WithContext(b.Context())); err != nil {
		b.Fatal(err)
	}
	return ref.String()
}

// incompressible is a tar of one file that nothing makes smaller, another one for each layer.
func incompressible(layer int) io.ReadCloser {
	r, w := io.Pipe()
	go func() {
		archive := tar.NewWriter(w)
		err := archive.WriteHeader(&tar.Header{Name: fmt.Sprint("noise-", layer), Mode: 0o644, Size: largeLayer})
		if err == nil {
			_, err = io.CopyN(archive, rand.NewChaCha8([32]byte{byte(layer)}), largeLayer)
		}
		if err == nil {
			err = archive.Close()
		}
		w.CloseWithError(err)
	}()
	return r
}

// memoryUntilRunning makes a pod of an image and reads the most memory that a process has until it runs.
func memoryUntilRunning(b *testing.B, c *cluster, pid, image string) (resident, own float64) {
	b.Helper()
	pods := kubernetes.NewForConfigOrDie(benchClient(b, c)).CoreV1().Pods("default")
	ctx, cancel := context.WithTimeout(b.Context(), patience)
	defer cancel()
	w, err := pods.Watch(ctx, metav1.ListOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer w.Stop()
	pod := samplePod("large")
	pod.Spec.Containers[0].Image = image
	if _, err := pods.Create(ctx, pod, metav1.CreateOptions{}); err != nil {
		b.Fatal(err)
	}
	tick := time.NewTicker(sampleMemory)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			resident, own = max(resident, residentMegabytes(b, pid)), max(own, megabytes(b, pid, "RssAnon:"))
		case e, more := <-w.ResultChan():
			if !more {
				b.Fatal("the watch ended before the pod ran")
			}
			if pod, ok := e.Object.(*corev1.Pod); ok && pod.Status.Phase == corev1.PodRunning {
				return resident, own
			}
		}
	}
}
