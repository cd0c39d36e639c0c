package resource_test

import (
	"context"
	"reflect"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/kind"
	"leme/server/resource"
)

func admitted(t *testing.T, a *resource.API, pod *corev1.Pod) *corev1.Pod {
	t.Helper()
	return object[*corev1.Pod](t, create(t, a, pods(""), pod))
}

func TestPodsAreTheirAccount(t *testing.T) {
	a := newAPI(t)
	no, yes := false, true
	create(t, a, target(kind.ServiceAccount, "default", ""), &corev1.ServiceAccount{
		ObjectMeta: metav1.ObjectMeta{Name: "silent"}, AutomountServiceAccountToken: &no,
		ImagePullSecrets: []corev1.LocalObjectReference{{Name: "pull"}},
	})
	silent := func(pod *corev1.Pod) *corev1.Pod { pod.Spec.ServiceAccountName = "silent"; return pod }

	pod := newPod("web")
	pod.Spec.InitContainers = []corev1.Container{{Name: "init", Image: "i"}}
	web := admitted(t, a, pod)
	if len(web.Spec.Volumes) != 1 || !strings.HasPrefix(web.Spec.Volumes[0].Name, "kube-api-access-") {
		t.Fatalf("volumes %v", web.Spec.Volumes)
	}
	source := web.Spec.Volumes[0].Projected
	if *source.DefaultMode != 0o644 || *source.Sources[0].ServiceAccountToken.ExpirationSeconds != 3607 ||
		source.Sources[1].ConfigMap.Name != "kube-root-ca.crt" || source.Sources[2].DownwardAPI.Items[0].Path != "namespace" {
		t.Errorf("sources %v", source.Sources)
	}
	for _, c := range []corev1.Container{web.Spec.InitContainers[0], web.Spec.Containers[0]} {
		want := corev1.VolumeMount{Name: web.Spec.Volumes[0].Name, ReadOnly: true, MountPath: "/var/run/secrets/kubernetes.io/serviceaccount"}
		if !reflect.DeepEqual(c.VolumeMounts, []corev1.VolumeMount{want}) {
			t.Errorf("%s mounts %v", c.Name, c.VolumeMounts)
		}
	}
	again := newPod("again") // as somebody makes it anew from what it was
	again.Spec = *web.Spec.DeepCopy()
	if got := admitted(t, a, again); len(got.Spec.Volumes) != 1 || len(got.Spec.Containers[0].VolumeMounts) != 1 {
		t.Errorf("it got another token: %v", got.Spec.Volumes)
	}
	if got := admitted(t, a, silent(newPod("silent"))); len(got.Spec.Volumes) != 0 || got.Spec.ImagePullSecrets[0].Name != "pull" {
		t.Errorf("volumes %v, pulls with %v", got.Spec.Volumes, got.Spec.ImagePullSecrets)
	}
	loud := silent(newPod("loud"))
	loud.Spec.AutomountServiceAccountToken = &yes
	if got := admitted(t, a, loud); len(got.Spec.Volumes) != 1 {
		t.Error("the pod's own word does not count")
	}
	own := newPod("own")
	own.Spec.Volumes = []corev1.Volume{{Name: "mine"}}
	own.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "mine", MountPath: "/var/run/secrets/kubernetes.io/serviceaccount"}}
	if got := admitted(t, a, own); len(got.Spec.Volumes) != 1 {
		t.Error("something else is mounted there, and the token too")
	}
}

func TestPodsOfNoAccountAreRefused(t *testing.T) {
	a, ctx := newAPI(t), context.Background()
	nobody := newPod("nobody")
	nobody.Spec.ServiceAccountName = "nobody"
	_, err := a.Create(ctx, pods(""), nobody, metav1.CreateOptions{})
	refused(t, err, `pods "nobody" is forbidden: error looking up service account default/nobody: serviceaccount "nobody" not found`)
}

// The first pods of a namespace wait for its account.
func TestDefaultAccountIsAwaited(t *testing.T) {
	a, ctx := newAPI(t), context.Background()
	create(t, a, target(kind.Namespace, "", ""), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "young"}})
	made := make(chan error, 1)
	go func() {
		_, err := a.Create(ctx, target(kind.Pod, "young", ""), newPod("first"), metav1.CreateOptions{})
		made <- err
	}()
	create(t, a, target(kind.ServiceAccount, "young", ""), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default"}})
	if err := <-made; err != nil {
		t.Error(err)
	}
}

func TestAccountsThatNameTheirSecrets(t *testing.T) {
	a, ctx := newAPI(t), context.Background()
	create(t, a, target(kind.ServiceAccount, "default", ""), &corev1.ServiceAccount{
		ObjectMeta: metav1.ObjectMeta{Name: "strict", Annotations: map[string]string{"kubernetes.io/enforce-mountable-secrets": "true"}},
		Secrets:    []corev1.ObjectReference{{Name: "known"}},
	})
	uses := func(name, secret string) *corev1.Pod {
		pod := newPod(name)
		pod.Spec.ServiceAccountName = "strict"
		ref := corev1.LocalObjectReference{Name: secret}
		pod.Spec.Containers[0].EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: ref}}}
		return pod
	}
	admitted(t, a, uses("good", "known"))
	_, err := a.Create(ctx, pods(""), uses("bad", "other"), metav1.CreateOptions{})
	refused(t, err, `pods "bad" is forbidden: container main with envFrom referencing secret.secretName="other" is not allowed because service account strict does not reference that secret`)

	debugged := object[*corev1.Pod](t, must(a.Get(ctx, pods("good"), metav1.GetOptions{}))(t)).DeepCopy()
	debugged.Spec.EphemeralContainers = []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{
		Name: "debug", Image: "i", EnvFrom: uses("", "other").Spec.Containers[0].EnvFrom,
	}}}
	tg := pods("good")
	tg.Subresource = "ephemeralcontainers"
	_, _, err = a.Update(ctx, tg, debugged, metav1.UpdateOptions{})
	refused(t, err, `pods "good" is forbidden: ephemeral container debug with envFrom referencing secret.secretName="other" is not allowed because service account strict does not reference that secret`)
}
