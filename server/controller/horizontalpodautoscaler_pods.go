package controller

import (
	"errors"
	"fmt"
	"slices"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	resourcehelper "k8s.io/component-helpers/resource"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"
	"k8s.io/utils/ptr"
)

const (
	// cpuInitialization is how long after its start a pod's use of processors counts only while it is ready.
	cpuInitialization = 5 * time.Minute
	// initialReadiness is how long after its start a pod that becomes unready counts as never having been ready.
	initialReadiness = 30 * time.Second
)

// podUse is what a pod used on average in a window, in thousandths.
type podUse struct {
	at     time.Time
	window time.Duration
	value  int64
}

// useOf is what pods use of a resource, all of their containers or one of them. Those that do not tell are left out.
func useOf(metrics []*metricsv1beta1.PodMetrics, resource corev1.ResourceName, container string) map[string]podUse {
	used := map[string]podUse{}
	for _, m := range metrics {
		sum, told := int64(0), len(m.Containers) > 0
		if container != "" {
			told = slices.ContainsFunc(m.Containers, func(c metricsv1beta1.ContainerMetrics) bool { return c.Name == container })
		}
		for _, c := range m.Containers {
			if container != "" && c.Name != container {
				continue
			}
			q, ok := c.Usage[resource]
			told = told && ok
			sum += q.MilliValue()
		}
		if told {
			used[m.Name] = podUse{m.Timestamp.Time, m.Window.Duration, sum}
		}
	}
	return used
}

// podGroups are the pods by what is known of them.
type podGroups struct {
	ready            int
	unready, missing map[string]bool
}

// groupPods tells the pods that count from those that are not ready yet and those of which nothing is known. It takes
// out of used what does not count: pods that go or have failed, and those that are not ready. It fails when nothing is
// left to decide by.
func groupPods(v autoscalerView, used map[string]podUse, resource corev1.ResourceName) (podGroups, error) {
	g := podGroups{unready: map[string]bool{}, missing: map[string]bool{}}
	for _, pod := range v.pods {
		use, known := used[pod.Name]
		switch {
		case pod.DeletionTimestamp != nil || pod.Status.Phase == corev1.PodFailed:
			delete(used, pod.Name)
		case pod.Status.Phase == corev1.PodPending:
			g.unready[pod.Name] = true
			delete(used, pod.Name)
		case !known:
			g.missing[pod.Name] = true
		case resource == corev1.ResourceCPU && initializing(pod, use, v.now):
			g.unready[pod.Name] = true
			delete(used, pod.Name)
		default:
			g.ready++
		}
	}
	if len(used) == 0 {
		return g, errors.New("did not receive metrics for targeted pods (pods might be unready)")
	}
	return g, nil
}

// initializing tells of a pod that its use of processors says nothing yet: it starts, and is not ready or was not while
// it was measured; or it has never been ready.
func initializing(pod *corev1.Pod, use podUse, now time.Time) bool {
	i := slices.IndexFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool { return c.Type == corev1.PodReady })
	if i < 0 || pod.Status.StartTime == nil {
		return true
	}
	ready, since := pod.Status.Conditions[i].Status, pod.Status.Conditions[i].LastTransitionTime.Time
	if pod.Status.StartTime.Add(cpuInitialization).After(now) {
		return ready == corev1.ConditionFalse || use.at.Before(since.Add(use.window))
	}
	return ready == corev1.ConditionFalse && pod.Status.StartTime.Add(initialReadiness).After(since)
}

// requestsOf is what pods request of a resource, by their names, in thousandths: as whole pods where they do, else the
// sum of their containers, or one of these.
func requestsOf(pods []*corev1.Pod, container string, resource corev1.ResourceName) (map[string]int64, error) {
	requests := make(map[string]int64, len(pods))
	for _, pod := range pods {
		if container == "" && resourcehelper.IsPodLevelRequestsSet(pod) {
			q, ok := resourcehelper.PodRequests(pod, resourcehelper.PodResourcesOptions{})[resource]
			if !ok {
				return nil, fmt.Errorf("missing pod-level request for %s in Pod %s", resource, pod.Name)
			}
			requests[pod.Name] = q.MilliValue()
			continue
		}
		sum, err := requestOf(pod, container, resource)
		if err != nil {
			return nil, err
		}
		requests[pod.Name] = sum
	}
	return requests, nil
}

func requestOf(pod *corev1.Pod, container string, resource corev1.ResourceName) (int64, error) {
	containers := slices.Clone(pod.Spec.Containers)
	for _, c := range pod.Spec.InitContainers {
		if ptr.Deref(c.RestartPolicy, "") == corev1.ContainerRestartPolicyAlways {
			containers = append(containers, c)
		}
	}
	sum, found := int64(0), container == ""
	for _, c := range containers {
		if container != "" && c.Name != container {
			continue
		}
		q, ok := c.Resources.Requests[resource]
		if !ok {
			return 0, fmt.Errorf("missing request for %s in container %s of Pod %s", resource, c.Name, pod.Name)
		}
		sum, found = sum+q.MilliValue(), true
	}
	if !found {
		return 0, fmt.Errorf("container %s not found in Pod %s", container, pod.Name)
	}
	return sum, nil
}

// tolerance is how far from the target nothing is done, below and above.
type tolerance struct{ down, up float64 }

func (t tolerance) within(r float64) bool { return 1-t.down <= r && r <= 1+t.up }

// defaultTolerance is a tenth.
const defaultTolerance = 0.1

func tolerances(a *autoscalingv2.HorizontalPodAutoscaler) tolerance {
	t := tolerance{defaultTolerance, defaultTolerance}
	if a.Spec.Behavior == nil {
		return t
	}
	if down := a.Spec.Behavior.ScaleDown; down != nil && down.Tolerance != nil {
		t.down = down.Tolerance.AsApproximateFloat64()
	}
	if up := a.Spec.Behavior.ScaleUp; up != nil && up.Tolerance != nil {
		t.up = up.Tolerance.AsApproximateFloat64()
	}
	return t
}
