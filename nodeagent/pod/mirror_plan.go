package pod

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// hashAnnotation is on a static pod what the mirror annotation is on its mirror: what the pod's file says, in short.
const hashAnnotation = "kubernetes.io/config.hash"

// mirrorStep is what to do next for the mirror of a static pod in the API.
type mirrorStep string

const (
	mirrorStays    mirrorStep = "nothing"
	mirrorCreated  mirrorStep = "create"
	mirrorDeleted  mirrorStep = "delete"
	mirrorReported mirrorStep = "report"
)

// planMirror decides from a static pod with its status (nil: there is none), the pod that the API shows for it (nil:
// none), and the status that the API took last.
func planMirror(static, shown *corev1.Pod, sent sentStatus) mirrorStep {
	switch {
	case static == nil && shown == nil:
		return mirrorStays
	case shown == nil:
		return mirrorCreated
	case static == nil, shown.DeletionTimestamp != nil, !shows(shown, static):
		return mirrorDeleted
	case static.Status.StartTime == nil, // its worker has not looked yet: an earlier agent's word holds
		equality.Semantic.DeepEqual(shown.Status, static.Status),
		sent.version == shown.ResourceVersion && equality.Semantic.DeepEqual(sent.status, static.Status):
		return mirrorStays
	}
	return mirrorReported
}

// shows says whether a pod in the API shows a static pod, as its file is now.
func shows(shown, static *corev1.Pod) bool {
	return shown.Annotations[corev1.MirrorPodAnnotationKey] == static.Annotations[hashAnnotation]
}

// isMirror says whether a pod in the API shows a static pod of some agent's.
func isMirror(pod *corev1.Pod) bool {
	_, mirror := pod.Annotations[corev1.MirrorPodAnnotationKey]
	return mirror
}

// fromFile says whether a pod is a static one. Such a pod waits for nothing that only the server has.
func fromFile(pod *corev1.Pod) bool { return pod.Annotations["kubernetes.io/config.source"] == "file" }

// mirrorOf is what the API is to show of a static pod.
func mirrorOf(static *corev1.Pod, node *corev1.Node) *corev1.Pod {
	m := static.DeepCopy()
	m.UID, m.ResourceVersion, m.DeletionTimestamp, m.DeletionGracePeriodSeconds = "", "", nil, nil
	m.Status = corev1.PodStatus{}
	m.Annotations[corev1.MirrorPodAnnotationKey] = m.Annotations[hashAnnotation]
	m.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(node, corev1.SchemeGroupVersion.WithKind("Node"))}
	m.OwnerReferences[0].BlockOwnerDeletion = nil
	return m
}
