package rest

import (
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"leme/server/kind"
	"leme/server/resource"
)

// subresource is one that a kind has, as discovery tells of it.
type subresource struct {
	name string
	schema.GroupVersionKind
	verbs []string
}

var (
	changing   = []string{"get", "patch", "update"}
	creating   = []string{"create"}
	connecting = []string{"create", "get"}
	proxying   = []string{"create", "delete", "get", "patch", "update"}
)

// podSubresources, nodeSubresources and namespaceFinalize are what those kinds have besides status.
var (
	podSubresources = []subresource{
		{name: "attach", GroupVersionKind: coreKind("PodAttachOptions"), verbs: connecting},
		{name: resource.Binding, GroupVersionKind: coreKind("Binding"), verbs: creating},
		{name: resource.Eviction, GroupVersionKind: policyv1.SchemeGroupVersion.WithKind("Eviction"), verbs: creating},
		{name: "exec", GroupVersionKind: coreKind("PodExecOptions"), verbs: connecting},
		{name: "log", GroupVersionKind: coreKind("Pod"), verbs: []string{"get"}},
		{name: "portforward", GroupVersionKind: coreKind("PodPortForwardOptions"), verbs: connecting},
		{name: "proxy", GroupVersionKind: coreKind("PodProxyOptions"), verbs: proxying},
	}
	nodeSubresources  = []subresource{{name: "proxy", GroupVersionKind: coreKind("NodeProxyOptions"), verbs: proxying}}
	accountToken      = []subresource{{name: "token", GroupVersionKind: tokenRequest, verbs: creating}}
	namespaceFinalize = []subresource{{name: resource.Finalize, GroupVersionKind: coreKind("Namespace"), verbs: []string{"update"}}}
)

func coreKind(name string) schema.GroupVersionKind { return corev1.SchemeGroupVersion.WithKind(name) }

// subresources lists what a kind has: its own, by its name in the core group, then scale and status by its declaration.
func subresources(k *kind.Kind) []subresource {
	var list []subresource
	switch k.GroupResource() {
	case schema.GroupResource{Resource: "pods"}:
		list = podSubresources
	case schema.GroupResource{Resource: "nodes"}:
		list = nodeSubresources
	case schema.GroupResource{Resource: "namespaces"}:
		list = namespaceFinalize
	case kind.ServiceAccount.GroupResource():
		list = accountToken
	}
	list = list[:len(list):len(list)]
	if k.Scale != nil {
		list = append(list, subresource{
			name: resource.Scale, GroupVersionKind: autoscalingv1.SchemeGroupVersion.WithKind("Scale"), verbs: changing,
		})
	}
	if k.HasStatus {
		list = append(list, subresource{name: resource.Status, GroupVersionKind: k.GroupVersionKind, verbs: changing})
	}
	return list
}
