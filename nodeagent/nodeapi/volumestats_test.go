package nodeapi

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"leme/nodeagent/disk"
)

// placed is pods whose volumes are in directories of their names.
type placed struct {
	Pods
	pods []*corev1.Pod
	dir  string
}

func (p placed) List() []*corev1.Pod { return p.pods }

func (p placed) Volumes(uid types.UID) map[string]string {
	paths := map[string]string{}
	for _, pod := range p.pods {
		for _, v := range pod.Spec.Volumes {
			if pod.UID == uid {
				paths[v.Name] = filepath.Join(p.dir, v.Name)
			}
		}
	}
	return paths
}

// TestVolumeStats: a pod's own volumes are added up, a claim's is its whole file system and told once, the host's is not.
func TestVolumeStats(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"cache", "data", "host"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "cache", "f"), make([]byte, 64<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	pod := func(uid string) *corev1.Pod {
		return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: uid, UID: types.UID(uid)}, Spec: corev1.PodSpec{Volumes: []corev1.Volume{
			{Name: "cache", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
			{Name: "data", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "claim"}}},
			{Name: "host", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}}},
			{Name: "gone", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
		}}}
	}
	pods := placed{pods: []*corev1.Pod{pod("a"), pod("b")}, dir: dir}
	before := map[types.UID][]volumeUse{"a": {{name: "gone", used: disk.Usage{Bytes: 7}}}}
	found := measureVolumes(t.Context(), pods, before)
	if len(found["a"]) != 3 || len(found["b"]) != 2 {
		t.Fatalf("found %+v", found)
	}
	cache, data := found["a"][0], found["a"][1]
	if cache.used.Bytes < 64<<10 || cache.used.Inodes != 2 || cache.claim != "" {
		t.Errorf("the cache: %+v", cache)
	}
	if data.claim != "claim" || data.used.Bytes != data.space.Total-data.space.Free || data.space.Total == 0 {
		t.Errorf("the data: %+v", data)
	}
	if found["a"][2].used.Bytes != 7 {
		t.Errorf("what cannot be looked at: %+v", found["a"][2])
	}
	text, err := json.Marshal(data.summary("ns"))
	if err != nil || !strings.Contains(string(text), `"name":"data","pvcRef":{"name":"claim","namespace":"ns"}`) || !strings.Contains(string(text), `"capacityBytes":`) {
		t.Errorf("told as %s, %v", text, err)
	}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(claimVolumes{pods, found})
	families, err := registry.Gather()
	if err != nil || len(families) != len(claimMetrics) {
		t.Fatalf("%d metrics, %v", len(families), err)
	}
	for _, f := range families {
		if len(f.GetMetric()) != 1 {
			t.Errorf("%s is told %d times", f.GetName(), len(f.GetMetric()))
		}
	}
}
