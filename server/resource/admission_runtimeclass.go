package resource

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"leme/server/kind"
)

// runtimeDefaults gives a new pod what its runtime class costs, and sends it to the nodes that have it.
func runtimeDefaults(ctx context.Context, a *API, w admission) error {
	pod := podOf(w.object)
	if pod == nil || w.old != nil {
		return nil
	}
	refuse := func(problem error) error { return apierrors.NewForbidden(w.resource(), pod.Name, problem) }
	if pod.Spec.RuntimeClassName == nil {
		if len(pod.Spec.Overhead) > 0 {
			return refuse(errOverhead)
		}
		return nil
	}
	it, err := a.current(ctx, Target{Kind: kind.RuntimeClass, Name: *pod.Spec.RuntimeClassName})
	switch {
	case err != nil:
		return err
	case it == nil:
		return refuse(fmt.Errorf("pod rejected: RuntimeClass %q not found", *pod.Spec.RuntimeClassName))
	}
	class, err := typed[*nodev1.RuntimeClass](it, nil)
	if err != nil {
		return err
	}
	if err := setOverhead(pod, class.Overhead); err != nil {
		return refuse(err)
	}
	if err := setScheduling(pod, class.Scheduling); err != nil {
		return refuse(err)
	}
	return nil
}

var errOverhead = errors.New("pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead")

func setOverhead(pod *corev1.Pod, overhead *nodev1.Overhead) error {
	switch {
	case overhead == nil && len(pod.Spec.Overhead) > 0:
		return errOverhead
	case overhead == nil:
		return nil
	case pod.Spec.Overhead != nil && !equality.Semantic.DeepEqual(pod.Spec.Overhead, overhead.PodFixed):
		return errors.New("pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead")
	}
	pod.Spec.Overhead = overhead.PodFixed.DeepCopy()
	return nil
}

func setScheduling(pod *corev1.Pod, s *nodev1.Scheduling) error {
	if s == nil {
		return nil
	}
	for _, key := range slices.Sorted(maps.Keys(s.NodeSelector)) {
		if own, set := pod.Spec.NodeSelector[key]; set && own != s.NodeSelector[key] {
			return fmt.Errorf("conflict: runtimeClass.scheduling.nodeSelector[%s] = %s; pod.spec.nodeSelector[%s] = %s", key, s.NodeSelector[key], key, own)
		}
	}
	if pod.Spec.NodeSelector == nil {
		pod.Spec.NodeSelector = maps.Clone(s.NodeSelector)
	}
	maps.Copy(pod.Spec.NodeSelector, s.NodeSelector)
	for _, t := range s.Tolerations {
		same := func(own corev1.Toleration) bool { return equality.Semantic.DeepEqual(own, t) }
		if !slices.ContainsFunc(pod.Spec.Tolerations, same) {
			pod.Spec.Tolerations = append(pod.Spec.Tolerations, *t.DeepCopy())
		}
	}
	return nil
}
