package resource

import (
	"context"
	"reflect"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"

	"leme/server/kind"
	"leme/server/podsecurity"
	"leme/server/store"
)

// podSecurity holds pods, and what makes pods, against the security level of their namespace. Only pods are refused:
// who makes a workload is warned.
func podSecurity(ctx context.Context, a *API, w admission) error {
	pod, template := podOf(w.object), templateOf(w.object)
	if pod == nil && template == nil || pod != nil && w.old != nil && sameImages(pod, podOf(w.old)) {
		return nil
	}
	policy := a.securityPolicy(w.Namespace)
	if pod == nil {
		heed(ctx, policy.Warn(&template.ObjectMeta, &template.Spec))
		tell(ctx, policy.Audit(&template.ObjectMeta, &template.Spec))
		return nil
	}
	annotate(ctx, podsecurity.EnforcedPolicy, policy.Policy.Enforce.String())
	tell(ctx, policy.Audit(&pod.ObjectMeta, &pod.Spec))
	if err := policy.Enforce(&pod.ObjectMeta, &pod.Spec); err != nil {
		return apierrors.NewForbidden(w.resource(), pod.Name, err)
	}
	heed(ctx, policy.Warn(&pod.ObjectMeta, &pod.Spec))
	return nil
}

// tell has the audit log say what a namespace's audit level finds.
func tell(ctx context.Context, violations string) {
	if violations != "" {
		annotate(ctx, podsecurity.Violations, violations)
	}
}

func heed(ctx context.Context, warning string) {
	if warning != "" {
		warn(ctx, warning)
	}
}

// securityPolicy is that of a namespace, as strict as can be where its labels are wrong.
func (a *API) securityPolicy(namespace string) podsecurity.Policy {
	var labels map[string]string
	if it := a.store.Snapshot(kind.Namespace.GroupResource()).Get("", namespace); it != nil {
		if ns, err := typed[*corev1.Namespace](it, nil); err == nil {
			labels = ns.Labels
		}
	}
	policy, _ := podsecurity.PolicyOf(labels)
	return policy
}

// sameImages tells whether an update of a pod leaves alone what its security depends on.
func sameImages(pod, old *corev1.Pod) bool {
	image := func(a, b corev1.Container) bool {
		seccomp := corev1.SeccompContainerAnnotationKeyPrefix + a.Name
		return a.Image == b.Image && pod.Annotations[seccomp] == old.Annotations[seccomp]
	}
	ephemeral := func(a, b corev1.EphemeralContainer) bool {
		return image(corev1.Container(a.EphemeralContainerCommon), corev1.Container(b.EphemeralContainerCommon))
	}
	return slices.EqualFunc(pod.Spec.Containers, old.Spec.Containers, image) &&
		slices.EqualFunc(pod.Spec.InitContainers, old.Spec.InitContainers, image) &&
		slices.EqualFunc(pod.Spec.EphemeralContainers, old.Spec.EphemeralContainers, ephemeral)
}

// templateOf is what an object makes pods from, or nil.
func templateOf(obj runtime.Object) *corev1.PodTemplateSpec {
	switch o := obj.(type) {
	case *corev1.PodTemplate:
		return &o.Template
	case *corev1.ReplicationController:
		return o.Spec.Template
	case *appsv1.ReplicaSet:
		return &o.Spec.Template
	case *appsv1.Deployment:
		return &o.Spec.Template
	case *appsv1.StatefulSet:
		return &o.Spec.Template
	case *appsv1.DaemonSet:
		return &o.Spec.Template
	case *batchv1.Job:
		return &o.Spec.Template
	case *batchv1.CronJob:
		return &o.Spec.JobTemplate.Spec.Template
	}
	return nil
}

// securityLabels refuses a namespace whose security labels say nothing, and warns of the pods that are there already
// when they say more than before.
func securityLabels(ctx context.Context, a *API, w admission) error {
	ns, ok := w.object.(*corev1.Namespace)
	if !ok {
		return nil
	}
	policy, errs := podsecurity.PolicyOf(ns.Labels)
	if w.old == nil {
		return invalid(w.Target, ns.Name, errs)
	}
	before, oldErrs := podsecurity.PolicyOf(w.old.(*corev1.Namespace).Labels)
	if !reflect.DeepEqual(errs, oldErrs) {
		if err := invalid(w.Target, ns.Name, errs); err != nil {
			return err
		}
	}
	if policy.Stricter(before) {
		warn(ctx, policy.Existing(ns.Name, a.podsIn(ns.Name))...)
	}
	return nil
}

func (a *API) podsIn(namespace string) (pods []*corev1.Pod) {
	a.store.Snapshot(kind.Pod.GroupResource()).Ascend(namespace, "", "", func(it *store.Item) bool {
		if pod, err := typed[*corev1.Pod](it, nil); err == nil {
			pods = append(pods, pod)
		}
		return true
	})
	return pods
}
