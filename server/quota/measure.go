package quota

import (
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// countPrefix starts the names that count objects of any resource: count/deployments.apps.
const countPrefix = "count/"

// uncounted are the resources that no quota limits.
var uncounted = []schema.GroupResource{
	{Resource: "events"},
	{Group: "events.k8s.io", Resource: "events"},
}

// named are the resources of the core group that also count under their plain name.
var named = []string{"configmaps", "replicationcontrollers", "resourcequotas", "secrets"}

var pods = schema.GroupResource{Resource: "pods"}

// measures tells whether a name in a quota is about a resource.
func measures(gr schema.GroupResource, name corev1.ResourceName) bool {
	switch {
	case slices.Contains(uncounted, gr):
		return false
	case string(name) == countPrefix+gr.String():
		return true
	case gr == pods:
		return ofPods(name)
	case gr == claims:
		return ofClaims(name)
	case gr == services:
		return ofServices(name)
	}
	return gr.Group == "" && string(name) == gr.Resource && slices.Contains(named, gr.Resource)
}

// measured is the part of a quota's limits that is about a resource.
func measured(gr schema.GroupResource, hard corev1.ResourceList) corev1.ResourceList {
	part := corev1.ResourceList{}
	for name, quantity := range hard {
		if measures(gr, name) {
			part[name] = quantity
		}
	}
	return part
}

// usage is what an object takes, of whatever a quota may limit.
func usage(gr schema.GroupResource, obj runtime.Object, now time.Time) corev1.ResourceList {
	counted := corev1.ResourceList{corev1.ResourceName(countPrefix + gr.String()): one()}
	switch {
	case gr == pods:
		add(counted, podUsage(obj.(*corev1.Pod), now))
	case gr == claims:
		add(counted, claimUsage(obj.(*corev1.PersistentVolumeClaim)))
	case gr == services:
		add(counted, serviceUsage(obj.(*corev1.Service)))
	case gr.Group == "" && slices.Contains(named, gr.Resource):
		counted[corev1.ResourceName(gr.Resource)] = one()
	}
	return counted
}

// resourceOf is the resource that a name in a quota is about.
func resourceOf(name corev1.ResourceName) (gr schema.GroupResource, ok bool) {
	if counted, found := strings.CutPrefix(string(name), countPrefix); found {
		return schema.ParseGroupResource(counted), true
	}
	switch {
	case slices.Contains(named, string(name)):
		gr = schema.GroupResource{Resource: string(name)}
	case ofClaims(name):
		gr = claims
	case ofServices(name):
		gr = services
	default:
		gr = pods
	}
	return gr, measures(gr, name)
}
