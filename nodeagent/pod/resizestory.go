package pod

import (
	"encoding/json"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
)

// resizeStory tells of a pod's resizes as events: each step once for each generation of the pod.
type resizeStory struct {
	begun   int64   // the generation whose resize is under way; 0: none
	pending Waiting // what was told last
}

// chapter is what there is to tell now.
type chapter struct {
	kind, reason, message string
}

// next finds out what has happened since the last time. What the API was told before an agent started anew counts too.
func (r *resizeStory) next(v *View) (news []chapter) {
	if v.Pending != r.pending {
		if r.pending = v.Pending; v.Pending != (Waiting{}) {
			news = append(news, chapter{corev1.EventTypeWarning, "Resize" + v.Pending.Reason,
				"Pod resize " + v.Pending.Reason + ": " + amountsOf(v.Pod, v.Pending.Message)})
		}
	}
	going := v.asksToResize() || len(v.resizing(groupOf(v.Containers))) > 0
	switch {
	case v.ends() || v.Pending != (Waiting{}):
	case going && r.begun != v.Pod.Generation:
		r.begun = v.Pod.Generation
		if statusOf(v.Pod.Status.Conditions, corev1.PodResizeInProgress) == "" {
			news = append(news, chapter{corev1.EventTypeNormal, "ResizeStarted", "Pod resize started: " + amountsOf(v.Pod, "")})
		}
	case !going && r.begun != 0:
		r.begun = 0
		news = append(news, chapter{corev1.EventTypeNormal, "ResizeCompleted", "Pod resize completed: " + amountsOf(v.Pod, "")})
	}
	return news
}

// asksToResize says whether a container asks for other amounts than the API was told that it has.
func (v *View) asksToResize() bool {
	return slices.ContainsFunc(allContainers(v.Pod), func(c *corev1.Container) bool {
		given, ok := v.allocated(c.Name)
		return ok && (!equality.Semantic.DeepEqual(given.Requests, c.Resources.Requests) || !equality.Semantic.DeepEqual(given.Limits, c.Resources.Limits))
	})
}

// amountsOf lists what a pod's containers ask for, as the kubelet's events do.
func amountsOf(pod *corev1.Pod, failure string) string {
	type asks struct {
		Name      string                      `json:"name"`
		Resources corev1.ResourceRequirements `json:"resources"`
	}
	list := func(containers []corev1.Container) (all []asks) {
		for i := range containers {
			all = append(all, asks{containers[i].Name, containers[i].Resources})
		}
		return all
	}
	text, err := json.Marshal(struct {
		InitContainers []asks `json:"initContainers,omitempty"`
		Containers     []asks `json:"containers,omitempty"`
		Generation     int64  `json:"generation"`
		Error          string `json:"error,omitempty"`
	}{list(pod.Spec.InitContainers), list(pod.Spec.Containers), pod.Generation, failure})
	if err != nil {
		return err.Error()
	}
	return string(text)
}
