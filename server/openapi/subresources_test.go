package openapi

import (
	"testing"

	"k8s.io/kube-openapi/pkg/validation/spec"

	"leme/server/kind"
)

func TestSubresourcesAreDescribed(t *testing.T) {
	paths := swagger(kind.All().List()).Paths.Paths
	const pod = "/api/v1/namespaces/{namespace}/pods/{name}"
	tests := []struct {
		path      string
		operation func(spec.PathItem) *spec.Operation
		id        string
		parameter string // of the query, "" for none
	}{
		{pod + "/status", func(p spec.PathItem) *spec.Operation { return p.Patch }, "patchCoreV1NamespacedPodStatus", ""},
		{pod + "/binding", func(p spec.PathItem) *spec.Operation { return p.Post }, "createCoreV1NamespacedPodBinding", ""},
		{pod + "/log", func(p spec.PathItem) *spec.Operation { return p.Get }, "readCoreV1NamespacedPodLog", "tailLines"},
		{pod + "/exec", func(p spec.PathItem) *spec.Operation { return p.Post }, "connectCoreV1PostNamespacedPodExec", "command"},
		{pod + "/attach", func(p spec.PathItem) *spec.Operation { return p.Get }, "connectCoreV1GetNamespacedPodAttach", "stdin"},
		{pod + "/portforward", func(p spec.PathItem) *spec.Operation { return p.Get }, "connectCoreV1GetNamespacedPodPortforward", "ports"},
		{pod + "/proxy", func(p spec.PathItem) *spec.Operation { return p.Head }, "connectCoreV1HeadNamespacedPodProxy", "path"},
		{pod + "/proxy/{path}", func(p spec.PathItem) *spec.Operation { return p.Put }, "connectCoreV1PutNamespacedPodProxyWithPath", "path"},
		{"/api/v1/nodes/{name}/proxy", func(p spec.PathItem) *spec.Operation { return p.Get }, "connectCoreV1GetNodeProxy", "path"},
		{"/api/v1/namespaces/{name}/finalize", func(p spec.PathItem) *spec.Operation { return p.Put }, "replaceCoreV1NamespaceFinalize", ""},
		{"/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale", func(p spec.PathItem) *spec.Operation { return p.Put }, "replaceAppsV1NamespacedDeploymentScale", ""},
	}
	for _, tt := range tests {
		item, ok := paths[tt.path]
		operation := tt.operation(item)
		if !ok || operation == nil || operation.ID != tt.id {
			t.Errorf("%s: no operation %s", tt.path, tt.id)
		}
		if tt.parameter != "" && !hasQuery(item, tt.parameter) {
			t.Errorf("%s: no parameter %s", tt.path, tt.parameter)
		}
	}
}

func hasQuery(item spec.PathItem, name string) bool {
	for _, p := range item.Parameters {
		if p.In == "query" && p.Name == name {
			return true
		}
	}
	return false
}
