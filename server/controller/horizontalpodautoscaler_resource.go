package controller

import (
	"errors"
	"fmt"
	"maps"
	"math"

	corev1 "k8s.io/api/core/v1"
)

// resourceCalculation reckons how many replicas the use of a resource asks for.
type resourceCalculation struct {
	view      autoscalerView
	resource  corev1.ResourceName
	container string // of each pod; "" is all of them
}

// reckoning is what comes of it. Amounts are in thousandths.
type reckoning struct {
	replicas    int32
	utilization int32 // in percent of what is requested
	average     int64 // of a pod
}

// ratio is how far from the target the given pods are on average: 1 is on it.
type ratio func(used map[string]podUse) (r float64, utilization int32, average int64, err error)

// byUtilization aims at a share of what the pods request, in percent.
func (c resourceCalculation) byUtilization(target int32) (reckoning, error) {
	used, err := c.used()
	if err != nil {
		return reckoning{}, err
	}
	groups, err := groupPods(c.view, used, c.resource)
	if err != nil {
		return reckoning{}, err
	}
	requests, err := requestsOf(c.view.pods, c.container, c.resource)
	if err != nil {
		return reckoning{}, err
	}
	of := func(used map[string]podUse) (float64, int32, int64, error) {
		var sum, asked, n int64
		for pod, u := range used {
			if request, ok := requests[pod]; ok {
				sum, asked, n = sum+u.value, asked+request, n+1
			}
		}
		if asked == 0 {
			return 0, 0, 0, errors.New("no metrics returned matched known pods")
		}
		percent := int32(min(sum*100/asked, math.MaxInt32))
		return float64(percent) / float64(target), percent, sum / n, nil
	}
	// A pod of which nothing is known uses all that it requests, where fewer are thought of.
	full := int64(max(100, target))
	return c.reckon(used, groups, of, func(pod string) int64 { return requests[pod] * full / 100 })
}

// byValue aims at an amount for each pod.
func (c resourceCalculation) byValue(target int64) (reckoning, error) {
	used, err := c.used()
	if err != nil {
		return reckoning{}, err
	}
	groups, err := groupPods(c.view, used, c.resource)
	if err != nil {
		return reckoning{}, err
	}
	of := func(used map[string]podUse) (float64, int32, int64, error) {
		var sum int64
		for _, u := range used {
			sum += u.value
		}
		average := sum / int64(len(used))
		return float64(average) / float64(target), 0, average, nil
	}
	return c.reckon(used, groups, of, func(string) int64 { return target })
}

// used is what the pods use, and why that is not known.
func (c resourceCalculation) used() (map[string]podUse, error) {
	err := c.view.usageErr
	switch {
	case err != nil:
		err = fmt.Errorf("unable to fetch metrics from resource metrics API: %w", err)
	case len(c.view.usage) == 0:
		err = errors.New("no metrics returned from resource metrics API")
	case len(c.view.pods) == 0:
		return nil, errors.New("no pods returned by selector while calculating replica count")
	default:
		return useOf(c.view.usage, c.resource, c.container), nil
	}
	return nil, fmt.Errorf("unable to get metrics for resource %s: %w", c.resource, err)
}

// reckon takes the pods that count, then guards against what is not known: a pod that is missing uses much where fewer
// are thought of and nothing where more are, and one that is not ready yet uses nothing where more are. When that turns
// the decision around, or makes it too small a change, there are as many as before.
func (c resourceCalculation) reckon(used map[string]podUse, groups podGroups, of ratio, missing func(pod string) int64) (reckoning, error) {
	current := c.view.scale.Spec.Replicas
	tolerated := tolerances(c.view.autoscaler)
	r, utilization, average, err := of(used)
	if err != nil {
		return reckoning{}, err
	}
	out := reckoning{current, utilization, average}
	coming := len(groups.unready) > 0 && r > 1
	if !coming && len(groups.missing) == 0 {
		if !tolerated.within(r) {
			out.replicas = ceil(r * float64(groups.ready))
		}
		return out, nil
	}
	all := maps.Clone(used)
	for pod := range groups.missing {
		switch {
		case r < 1:
			all[pod] = podUse{value: missing(pod)}
		case r > 1:
			all[pod] = podUse{}
		}
	}
	if coming {
		for pod := range groups.unready {
			all[pod] = podUse{}
		}
	}
	guarded, _, _, err := of(all)
	if err != nil {
		return reckoning{}, err
	}
	if tolerated.within(guarded) || r < 1 && guarded > 1 || r > 1 && guarded < 1 {
		return out, nil
	}
	replicas := ceil(guarded * float64(len(all)))
	if guarded < 1 && replicas > current || guarded > 1 && replicas < current {
		return out, nil
	}
	out.replicas = replicas
	return out, nil
}

// ceil is the next number of replicas, as far as there can be so many.
func ceil(f float64) int32 { return int32(min(math.Ceil(f), math.MaxInt32)) }
