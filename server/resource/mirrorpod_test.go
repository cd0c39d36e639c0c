package resource_test

import (
	"context"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/kind"
)

func TestMirrorPodsAreNobody(t *testing.T) {
	a := newAPI(t)
	mirror := func(name, account string) *corev1.Pod {
		return &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{corev1.MirrorPodAnnotationKey: "x"}},
			Spec:       corev1.PodSpec{NodeName: "n1", ServiceAccountName: account, Containers: []corev1.Container{{Name: "c", Image: "i"}}},
		}
	}
	obj, err := create(t, a, target(kind.Pod, "default", ""), mirror("web", "")).Object()
	if err != nil || obj.(*corev1.Pod).Spec.ServiceAccountName != "" {
		t.Errorf("got %v, %v", obj, err)
	}
	_, err = a.Create(context.Background(), target(kind.Pod, "default", ""), mirror("other", "default"), metav1.CreateOptions{})
	if err == nil || !strings.Contains(err.Error(), "a mirror pod may not reference service accounts") {
		t.Errorf("got %v", err)
	}
	secretive := mirror("secretive", "")
	secretive.Spec.Volumes = []corev1.Volume{{Name: "s", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "s"}}}}
	_, err = a.Create(context.Background(), target(kind.Pod, "default", ""), secretive, metav1.CreateOptions{})
	refused(t, err, `pods "secretive" is forbidden: a mirror pod may not reference secrets`)
}
