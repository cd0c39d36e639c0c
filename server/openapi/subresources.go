package openapi

import (
	"reflect"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/kube-openapi/pkg/validation/spec"

	"leme/server/kind"
)

// subresource is a part of one kind alone, beside the status and scale that many have.
type subresource struct {
	of         schema.GroupVersionKind
	name       string
	gvk        schema.GroupVersionKind // what is sent
	object     reflect.Type
	operations func(target) spec.PathItemProps
}

var subresources = []subresource{
	{
		of: corev1.SchemeGroupVersion.WithKind("Namespace"), name: "finalize",
		gvk: corev1.SchemeGroupVersion.WithKind("Namespace"), object: reflect.TypeFor[corev1.Namespace](),
		operations: func(t target) spec.PathItemProps { return spec.PathItemProps{Put: t.replace()} },
	},
	{
		of: corev1.SchemeGroupVersion.WithKind("ServiceAccount"), name: "token",
		gvk: authenticationv1.SchemeGroupVersion.WithKind("TokenRequest"), object: reflect.TypeFor[authenticationv1.TokenRequest](),
		operations: func(t target) spec.PathItemProps { return spec.PathItemProps{Post: t.create()} },
	},
	{
		of: corev1.SchemeGroupVersion.WithKind("Pod"), name: "binding",
		gvk: corev1.SchemeGroupVersion.WithKind("Binding"), object: reflect.TypeFor[corev1.Binding](),
		operations: func(t target) spec.PathItemProps { return spec.PathItemProps{Post: t.create()} },
	},
	{
		of: corev1.SchemeGroupVersion.WithKind("Pod"), name: "eviction",
		gvk: policyv1.SchemeGroupVersion.WithKind("Eviction"), object: reflect.TypeFor[policyv1.Eviction](),
		operations: func(t target) spec.PathItemProps { return spec.PathItemProps{Post: t.create()} },
	},
}

// subresourcesOf returns those of one kind.
func subresourcesOf(k *kind.Kind) []subresource {
	var own []subresource
	for _, s := range subresources {
		if s.of == k.GroupVersionKind {
			own = append(own, s)
		}
	}
	return own
}
