package resource

import (
	"context"
	"errors"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"

	"leme/server/kind"
)

// podOf is the pod that is written, or nil.
func podOf(obj runtime.Object) *corev1.Pod {
	pod, _ := obj.(*corev1.Pod)
	return pod
}

// serviceAccountDefault gives a new pod the service account "default", and the pull secrets of its account when it
// has none of its own.
func serviceAccountDefault(_ context.Context, a *API, w admission) error {
	pod := podOf(w.object)
	if pod == nil || w.old != nil {
		return nil
	}
	if _, mirror := pod.Annotations[corev1.MirrorPodAnnotationKey]; mirror {
		return noServiceAccount(w, pod)
	}
	if pod.Spec.ServiceAccountName == "" {
		pod.Spec.ServiceAccountName = "default"
	}
	pod.Spec.DeprecatedServiceAccount = pod.Spec.ServiceAccountName
	if len(pod.Spec.ImagePullSecrets) > 0 {
		return nil
	}
	it := a.store.Snapshot(kind.ServiceAccount.GroupResource()).Get(w.Namespace, pod.Spec.ServiceAccountName)
	if it == nil {
		return nil
	}
	account, err := it.Object()
	if err != nil {
		return err
	}
	pod.Spec.ImagePullSecrets = append(pod.Spec.ImagePullSecrets, account.(*corev1.ServiceAccount).ImagePullSecrets...)
	return nil
}

// noServiceAccount keeps mirror pods from being anybody: an agent makes them, whom no account's secrets are for.
func noServiceAccount(w admission, pod *corev1.Pod) error {
	if pod.Spec.ServiceAccountName == "" {
		return nil
	}
	return apierrors.NewForbidden(w.resource(), pod.Name, errors.New("a mirror pod may not reference service accounts"))
}

// tolerationSeconds is how long a pod stays on a node that does not answer, unless it says otherwise.
const tolerationSeconds = 300

// tolerationDefaults lets a pod outlive short troubles of its node.
func tolerationDefaults(_ context.Context, _ *API, w admission) error {
	pod := podOf(w.object)
	if pod == nil {
		return nil
	}
	for _, taint := range []string{corev1.TaintNodeNotReady, corev1.TaintNodeUnreachable} {
		if toleratesEviction(pod, taint) {
			continue
		}
		seconds := int64(tolerationSeconds)
		pod.Spec.Tolerations = append(pod.Spec.Tolerations, corev1.Toleration{
			Key: taint, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: &seconds,
		})
	}
	return nil
}

func toleratesEviction(pod *corev1.Pod, taint string) bool {
	for _, t := range pod.Spec.Tolerations {
		if (t.Key == taint || t.Key == "") && (t.Effect == corev1.TaintEffectNoExecute || t.Effect == "") {
			return true
		}
	}
	return false
}
