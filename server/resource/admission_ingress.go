package resource

import (
	"cmp"
	"context"
	"slices"

	networkingv1 "k8s.io/api/networking/v1"

	"leme/server/kind"
	"leme/server/store"
)

// ingressClassDefault gives a new ingress that names no class the default one: the newest, should there be several.
func ingressClassDefault(_ context.Context, a *API, w admission) error {
	ingress, ok := w.object.(*networkingv1.Ingress)
	if !ok || w.old != nil || ingress.Spec.IngressClassName != nil {
		return nil
	}
	if _, named := ingress.Annotations[kind.IngressClassAnnotation]; named {
		return nil
	}
	if classes := a.defaultIngressClasses(); len(classes) > 0 {
		ingress.Spec.IngressClassName = new(classes[0].Name)
	}
	return nil
}

// defaultIngressClasses are those for ingresses that name none, the newest first.
func (a *API) defaultIngressClasses() (classes []*networkingv1.IngressClass) {
	a.store.Snapshot(kind.IngressClass.GroupResource()).Ascend("", "", "", func(it *store.Item) bool {
		if c, err := typed[*networkingv1.IngressClass](it, nil); err == nil && kind.DefaultIngressClass(c) {
			classes = append(classes, c)
		}
		return true
	})
	slices.SortStableFunc(classes, func(x, y *networkingv1.IngressClass) int {
		return cmp.Or(y.CreationTimestamp.Compare(x.CreationTimestamp.Time), cmp.Compare(x.Name, y.Name))
	})
	return classes
}
