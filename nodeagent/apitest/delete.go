package apitest

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"
)

// markPod is the graceful deletion of a pod on a node: it stays, marked, until its agent deletes it with no grace.
func (t *tracker) markPod(action clienttesting.Action) (handled bool, _ runtime.Object, _ error) {
	d := action.(clienttesting.DeleteActionImpl)
	o, err := t.Get(d.Resource, d.Namespace, d.Name)
	if err != nil {
		return true, nil, err
	}
	pod := o.(*corev1.Pod)
	if p := d.DeleteOptions.Preconditions; p != nil && p.UID != nil && *p.UID != pod.UID {
		return true, nil, apierrors.NewConflict(d.Resource.GroupResource(), d.Name, fmt.Errorf("uid: it is %s, not %s", pod.UID, *p.UID))
	}
	grace := gracePeriod(pod, d.DeleteOptions)
	if grace == 0 || pod.Spec.NodeName == "" {
		return false, nil, nil
	}
	at := metav1.NewTime(time.Now().Add(time.Duration(grace) * time.Second))
	pod.DeletionTimestamp, pod.DeletionGracePeriodSeconds = &at, &grace
	return true, pod, t.Update(d.Resource, pod, d.Namespace)
}

// gracePeriod is in seconds: what is asked for, else the pod's own, else the API's default.
func gracePeriod(pod *corev1.Pod, o metav1.DeleteOptions) int64 {
	switch {
	case o.GracePeriodSeconds != nil:
		return *o.GracePeriodSeconds
	case pod.Spec.TerminationGracePeriodSeconds != nil:
		return *pod.Spec.TerminationGracePeriodSeconds
	default:
		return corev1.DefaultTerminationGracePeriodSeconds
	}
}
