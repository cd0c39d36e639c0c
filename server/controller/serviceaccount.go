package controller

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

// defaultServiceAccount is what pods run as that name none.
const defaultServiceAccount = "default"

// newServiceAccounts gives every active namespace its default ServiceAccount.
func newServiceAccounts(e *environment) component {
	const user = "system:controller:service-account-controller"
	namespaces := resource.For[*corev1.Namespace](e.api, kind.Namespace, user)
	accounts := resource.For[*corev1.ServiceAccount](e.api, kind.ServiceAccount, user)
	return &loop[objectKey]{
		name:    "serviceaccount",
		workers: 2,
		sources: []source[objectKey]{
			{of(e.api, kind.Namespace), itself},
			{of(e.api, kind.ServiceAccount), namespaceOf(watch.Deleted, defaultServiceAccount)},
		},
		reconcile: func(ctx context.Context, key objectKey) (time.Duration, error) {
			if !active(namespaces, key.Name) {
				return 0, nil
			}
			if _, ok := accounts.Get(key.Name, defaultServiceAccount); ok {
				return 0, nil
			}
			_, err := accounts.Create(ctx, &corev1.ServiceAccount{
				ObjectMeta: metav1.ObjectMeta{Namespace: key.Name, Name: defaultServiceAccount},
			})
			return 0, ignoreRace(err)
		},
	}
}

// namespaceOf gives the namespace of an object by one name, when that happens to it; any event when what is empty.
func namespaceOf(what watch.EventType, name string) func(store.Event, func(objectKey)) {
	return func(e store.Event, add func(objectKey)) {
		if e.Item.Key.Name == name && (what == "" || e.Type == what) {
			add(objectKey{Name: e.Item.Key.Namespace})
		}
	}
}

// active tells a namespace in which objects can be made.
func active(namespaces resource.Typed[*corev1.Namespace], name string) bool {
	ns, ok := namespaces.Get("", name)
	return ok && ns.DeletionTimestamp == nil
}

// ignoreRace is for making what somebody else may have made meanwhile, in what may be going away.
func ignoreRace(err error) error {
	if apierrors.IsAlreadyExists(err) || apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return nil
	}
	return ignoreGone(err)
}
