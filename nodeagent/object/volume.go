package object

import (
	"context"
	"errors"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	volumehelper "k8s.io/component-helpers/storage/volume"
)

// volumes remembers which volumes pods' claims are bound to: once bound, that never changes while a pod has the claim.
type volumes struct {
	client kubernetes.Interface

	mu    sync.Mutex
	known map[types.UID]map[string]boundClaim // by pod and claim
}

type boundClaim struct {
	volume *corev1.PersistentVolume
	claim  *corev1.PersistentVolumeClaim
}

func newVolumes(client kubernetes.Interface) *volumes {
	return &volumes{client: client, known: map[types.UID]map[string]boundClaim{}}
}

// PersistentVolume gives the volume that a claim in the pod's namespace is bound to, and the claim, both read-only. An
// error says that it is bound to none.
func (v View) PersistentVolume(ctx context.Context, pod *corev1.Pod, claim string) (*corev1.PersistentVolume, *corev1.PersistentVolumeClaim, error) {
	b, err := v.cache.volumes.get(ctx, pod, claim)
	return b.volume, b.claim, err
}

func (v *volumes) get(ctx context.Context, pod *corev1.Pod, claim string) (boundClaim, error) {
	v.mu.Lock()
	b, known := v.known[pod.UID][claim]
	v.mu.Unlock()
	if known {
		return b, nil
	}
	b, err := v.ask(ctx, pod.Namespace, claim)
	if err != nil {
		return boundClaim{}, fmt.Errorf("error processing PVC %s/%s: %w", pod.Namespace, claim, err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.known[pod.UID] == nil {
		v.known[pod.UID] = map[string]boundClaim{}
	}
	v.known[pod.UID][claim] = b
	return b, nil
}

func (v *volumes) ask(ctx context.Context, namespace, name string) (boundClaim, error) {
	claim, err := v.client.CoreV1().PersistentVolumeClaims(namespace).Get(ctx, name, metav1.GetOptions{})
	switch {
	case err != nil:
		return boundClaim{}, fmt.Errorf("failed to fetch PVC from API server: %w", err)
	case claim.DeletionTimestamp != nil:
		return boundClaim{}, errors.New("PVC is being deleted")
	case claim.Status.Phase != corev1.ClaimBound || claim.Spec.VolumeName == "":
		return boundClaim{}, errors.New("PVC is not bound")
	}
	volume, err := v.client.CoreV1().PersistentVolumes().Get(ctx, claim.Spec.VolumeName, metav1.GetOptions{})
	switch {
	case err != nil:
		return boundClaim{}, fmt.Errorf("failed to fetch PV %s from API server: %w", claim.Spec.VolumeName, err)
	case !volumehelper.IsVolumeBoundToClaim(volume, claim):
		return boundClaim{}, fmt.Errorf("PV %s is not bound to PVC %s", volume.Name, name)
	}
	return boundClaim{volume, claim}, nil
}

// release forgets a pod's claims.
func (v *volumes) release(pod types.UID) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.known, pod)
}
