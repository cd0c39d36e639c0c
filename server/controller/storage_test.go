package controller_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	apiresource "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/kind"
	"leme/server/resource"
)

// storage is the claims and volumes of a cluster.
type storage struct {
	*cluster
	claims  resource.Typed[*corev1.PersistentVolumeClaim]
	volumes resource.Typed[*corev1.PersistentVolume]
}

func newStorage(t *testing.T) storage {
	c := newCluster(t, "a")
	return storage{
		c, resource.For[*corev1.PersistentVolumeClaim](c.api, kind.PersistentVolumeClaim, tester),
		resource.For[*corev1.PersistentVolume](c.api, kind.PersistentVolume, tester),
	}
}

func (s storage) volume(name, size string) {
	s.t.Helper()
	made(s.t)(s.volumes.Create(s.t.Context(), &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PersistentVolumeSpec{
			Capacity:               corev1.ResourceList{corev1.ResourceStorage: apiresource.MustParse(size)},
			AccessModes:            []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			PersistentVolumeSource: corev1.PersistentVolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/" + name}},
		},
	}))
}

func (s storage) claim(name, size string) {
	s.t.Helper()
	made(s.t)(s.claims.Create(s.t.Context(), &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}, StorageClassName: new(""),
			Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: apiresource.MustParse(size)}},
		},
	}))
}

func (s storage) phase(volume string) corev1.PersistentVolumePhase {
	pv, ok := s.volumes.Get("", volume)
	if !ok {
		return ""
	}
	return pv.Status.Phase
}

func (s storage) boundTo(claim, volume string) func() bool {
	return func() bool {
		c, ok := s.claims.Get("default", claim)
		return ok && c.Spec.VolumeName == volume && c.Status.Phase == corev1.ClaimBound && s.phase(volume) == corev1.VolumeBound
	}
}

func TestVolumesAreBoundAndReleased(t *testing.T) {
	s := newStorage(t)
	ctx := t.Context()
	s.volume("large", "9Gi")
	s.volume("right", "3Gi")
	s.await("both are available", func() bool {
		return s.phase("large") == corev1.VolumeAvailable && s.phase("right") == corev1.VolumeAvailable
	})
	s.claim("data", "2Gi")
	s.await("the smaller is bound", s.boundTo("data", "right"))

	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "user"},
		Spec: corev1.PodSpec{
			Containers: []corev1.Container{{Name: "main", Image: "web:1"}},
			Volumes: []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{
				PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}}},
		},
	}
	made(t)(s.pods.Create(ctx, pod))
	s.await("a pod has it", func() bool {
		p, ok := s.pods.Get("default", "user")
		return ok && p.Status.Phase == corev1.PodRunning
	})
	if err := s.claims.Delete(ctx, "default", "data", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if c, ok := s.claims.Get("default", "data"); !ok || c.DeletionTimestamp == nil {
		t.Fatal("a claim in use is gone")
	}
	if err := s.pods.Delete(ctx, "default", "user", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	s.await("the claim goes after its pod", func() bool { _, ok := s.claims.Get("default", "data"); return !ok })
	s.await("its volume is released, and kept", func() bool { return s.phase("right") == corev1.VolumeReleased })
	if err := s.volumes.Delete(ctx, "", "right", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	s.await("it goes when it is deleted", func() bool { return s.phase("right") == "" })
}

func TestClaimWaitsForItsVolume(t *testing.T) {
	s := newStorage(t)
	s.claim("data", "2Gi")
	made(t)(s.pods.Create(t.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "user"},
		Spec: corev1.PodSpec{
			Containers: []corev1.Container{{Name: "main", Image: "web:1"}},
			Volumes: []corev1.Volume{
				{Name: "data", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}},
				{Name: "own", VolumeSource: corev1.VolumeSource{Ephemeral: &corev1.EphemeralVolumeSource{VolumeClaimTemplate: &corev1.PersistentVolumeClaimTemplate{
					Spec: corev1.PersistentVolumeClaimSpec{
						AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}, StorageClassName: new(""),
						Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: apiresource.MustParse("1Gi")}},
					},
				}}}},
			},
		},
	}))
	s.await("its own claim is made", func() bool { _, ok := s.claims.Get("default", "user-own"); return ok })
	s.await("the pod is told to wait", func() bool {
		p, _ := s.pods.Get("default", "user")
		return len(p.Status.Conditions) > 0 && p.Status.Conditions[0].Reason == corev1.PodReasonUnschedulable
	})
	s.volume("one", "1Gi")
	s.volume("two", "2Gi")
	s.await("the claim is bound", s.boundTo("data", "two"))
	s.await("the pod's own is bound", s.boundTo("user-own", "one"))
	s.await("the pod runs", func() bool {
		p, _ := s.pods.Get("default", "user")
		return p.Status.Phase == corev1.PodRunning
	})
}
