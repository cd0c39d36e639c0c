// Package shutdown ends a node's pods in good order before its machine goes down, by the kubelet's rules: it asks
// systemd-logind to hold every shutdown up for as long as pods may take, ends ordinary pods first and critical ones last,
// and then lets the machine go.
//
//	m := shutdown.New(shutdown.Config{Grace: 30 * time.Second, Critical: 10 * time.Second, Pods: pods, …})
//	err := m.Run(ctx)
//
// Where there is no logind nobody says beforehand that the machine goes down: then nothing is done.
package shutdown

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	corev1helpers "k8s.io/component-helpers/scheduling/corev1"

	"leme/nodeagent/pod"
)

// group is pods that end together, within a time.
type group struct {
	pods  []*corev1.Pod
	grace time.Duration
}

// systemCritical is the least priority of critical pods.
const systemCritical = 2_000_000_000

// plan groups pods in the order in which they are to end. Groups without pods take no time.
func plan(pods []*corev1.Pod, grace, critical time.Duration) []group {
	groups := []group{{grace: grace - critical}, {grace: critical}}
	for _, p := range pods {
		i := 0
		if corev1helpers.PodPriority(p) >= systemCritical {
			i = 1
		}
		groups[i].pods = append(groups[i].pods, p)
	}
	var some []group
	for _, g := range groups {
		if len(g.pods) > 0 {
			some = append(some, g)
		}
	}
	return some
}

// What the status says of pods that ended so, in the kubelet's words.
const (
	reason  = "Terminated"
	message = "Pod was terminated in response to imminent node shutdown."
)

// end is how a pod of a group ends: within the group's time, or its own if that is less.
func (g group) end(p *corev1.Pod) pod.End {
	grace := g.grace
	if own := p.Spec.TerminationGracePeriodSeconds; own != nil {
		grace = min(grace, time.Duration(*own)*time.Second)
	}
	return pod.End{Reason: reason, Message: message, Disruption: message, Grace: max(grace, time.Second)}
}
