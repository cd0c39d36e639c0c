package pod

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/client-go/kubernetes"
)

const reportStatus Verb = "report status"

// requestTimeout bounds one request to the server.
const requestTimeout = 15 * time.Second

// sentStatus is the last status that the server took, and the version that it gave it.
type sentStatus struct {
	status  corev1.PodStatus
	version string
}

// report sends the status up when it differs from what the API has. One request a pod is under way at most: what
// changes meanwhile goes up with the next.
func (w *worker) report(ctx context.Context, plan *Plan, now time.Time) {
	if w.view.Gone {
		return
	}
	status := w.view.Status(*plan, now)
	pod := w.view.Pod
	if isTerminal(status.Phase) {
		w.finish()
	}
	before := w.view.Reported
	w.view.Reported = equality.Semantic.DeepEqual(status, pod.Status) ||
		w.sent.version == pod.ResourceVersion && equality.Semantic.DeepEqual(status, w.sent.status)
	if w.view.Reported {
		if !before && (pod.DeletionTimestamp != nil || len(w.view.causes(groupOf(w.view.Containers))) > 0) {
			w.nudge() // their end is told: the containers may go
		}
		return
	}
	if _, busy := w.ops[statusKey]; busy {
		return
	}
	if f, failed := w.view.Failures[statusKey]; failed && now.Before(f.retry()) {
		plan.wakeAt(f.retry())
		return
	}
	w.launch(ctx, Action{Verb: reportStatus}, w.sendStatus(pod, status))
}

func (w *worker) sendStatus(pod *corev1.Pod, status corev1.PodStatus) operation {
	if w.static {
		return w.keepStatus(status)
	}
	return func(ctx context.Context) (func(), error) {
		ctx, cancel := context.WithTimeout(ctx, requestTimeout)
		defer cancel()
		updated, err := patchStatus(ctx, w.deps.Client, pod, status)
		if err != nil {
			return nil, err
		}
		return func() {
			w.sent = sentStatus{status, updated.ResourceVersion}
			w.update(updated)
		}, nil
	}
}

// patchStatus sends the difference between the status that the API has and the one that it is to have.
func patchStatus(ctx context.Context, client kubernetes.Interface, pod *corev1.Pod, status corev1.PodStatus) (*corev1.Pod, error) {
	patch, err := statusPatch(pod, status)
	if err != nil {
		return nil, err
	}
	updated, err := client.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil, fmt.Errorf("the pod is not there any more: %w", err) // the watch tells more
	} else if err != nil {
		return nil, fmt.Errorf("reporting the pod's status: %w", err)
	}
	return updated, nil
}

// statusPatch is the difference between two statuses, good for this pod's UID only.
func statusPatch(pod *corev1.Pod, status corev1.PodStatus) ([]byte, error) {
	before, err := json.Marshal(corev1.Pod{Status: pod.Status})
	if err != nil {
		return nil, err
	}
	after, err := json.Marshal(corev1.Pod{ObjectMeta: metav1.ObjectMeta{UID: pod.UID}, Status: status})
	if err != nil {
		return nil, err
	}
	return strategicpatch.CreateTwoWayMergePatch(before, after, corev1.Pod{})
}

// deletePod takes the pod out of the API, now that nothing of it is left here.
func (w *worker) deletePod() operation {
	if w.static {
		return w.forgetStatic()
	}
	pod, now := w.view.Pod, int64(0)
	return func(ctx context.Context) (func(), error) {
		ctx, cancel := context.WithTimeout(ctx, requestTimeout)
		defer cancel()
		err := w.deps.Client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{
			GracePeriodSeconds: &now, Preconditions: &metav1.Preconditions{UID: &pod.UID},
		})
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			return nil, fmt.Errorf("deleting the pod: %w", err)
		}
		return func() { w.view.Deleted = true }, nil
	}
}
