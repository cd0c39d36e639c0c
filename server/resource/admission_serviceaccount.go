package resource

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/watch"

	"leme/server/kind"
	"leme/server/store"
)

const (
	defaultAccount = "default"
	// accountPatience is how long the first pods of a namespace wait for its default account to be made.
	accountPatience = 1500 * time.Millisecond
)

// runAsAccount makes a new pod somebody: a service account that is there, whose token and whose secrets for pulling
// images it gets. Mirror pods stay as they are, and nobody.
func runAsAccount(ctx context.Context, a *API, w admission) error {
	pod := podOf(w.object)
	if pod == nil || w.old != nil {
		return nil
	}
	if _, mirror := pod.Annotations[corev1.MirrorPodAnnotationKey]; mirror {
		return bareMirror(w, pod)
	}
	if pod.Spec.ServiceAccountName == "" {
		pod.Spec.ServiceAccountName = defaultAccount
	}
	pod.Spec.DeprecatedServiceAccount = pod.Spec.ServiceAccountName
	account, err := a.accountOf(ctx, w, pod)
	if err != nil {
		return err
	}
	if wantsToken(account, pod) {
		mountToken(pod)
	}
	if len(pod.Spec.ImagePullSecrets) == 0 {
		pod.Spec.ImagePullSecrets = append(pod.Spec.ImagePullSecrets, account.ImagePullSecrets...)
	}
	if err := mountsOnly(account, pod); err != nil {
		return apierrors.NewForbidden(w.resource(), pod.Name, err)
	}
	return nil
}

// ephemeralSecrets holds the containers that are added to a running pod to the secrets of its account.
func ephemeralSecrets(ctx context.Context, a *API, w admission) error {
	pod := podOf(w.object)
	if pod.Spec.ServiceAccountName == "" {
		return apierrors.NewForbidden(w.resource(), pod.Name, fmt.Errorf("no service account specified for pod %s/%s", w.Namespace, pod.Name))
	}
	account, err := a.accountOf(ctx, w, pod)
	if err != nil {
		return err
	}
	if err := ephemeralMountsOnly(account, pod); err != nil {
		return apierrors.NewForbidden(w.resource(), pod.Name, err)
	}
	return nil
}

// bareMirror keeps mirror pods from being anybody: an agent makes them, whom no account's secrets are for.
func bareMirror(w admission, pod *corev1.Pod) error {
	refuse := func(what string) error {
		return apierrors.NewForbidden(w.resource(), pod.Name, errors.New("a mirror pod may not "+what))
	}
	if pod.Spec.ServiceAccountName != "" {
		return refuse("reference service accounts")
	}
	secrets := false
	kind.PodReferences(pod, func(resource, name string) {
		secrets = secrets || resource == kind.Secret.Resource && name != ""
	})
	if secrets {
		return refuse("reference secrets")
	}
	for _, v := range pod.Spec.Volumes {
		if v.Projected == nil {
			continue
		}
		for _, s := range v.Projected.Sources {
			if s.ServiceAccountToken != nil {
				return refuse("use ServiceAccountToken volume projections")
			}
		}
	}
	return nil
}

// accountOf is the pod's service account. A namespace's default one is made soon after it: that is waited for.
func (a *API) accountOf(ctx context.Context, w admission, pod *corev1.Pod) (*corev1.ServiceAccount, error) {
	t := Target{Kind: kind.ServiceAccount, Namespace: w.Namespace, Name: pod.Spec.ServiceAccountName}
	it, err := a.current(ctx, t)
	if err == nil && it == nil && t.Name == defaultAccount {
		it, err = a.awaited(ctx, t, accountPatience)
	}
	if err == nil && it == nil {
		err = apierrors.NewNotFound(corev1.Resource("serviceaccount"), t.Name)
	}
	if err != nil {
		return nil, apierrors.NewForbidden(w.resource(), pod.Name, fmt.Errorf("error looking up service account %s/%s: %w", t.Namespace, t.Name, err))
	}
	return typed[*corev1.ServiceAccount](it, nil)
}

// awaited is an object that somebody is about to make, or nil when that takes too long.
func (a *API) awaited(ctx context.Context, t Target, patience time.Duration) (*store.Item, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	snapshot := a.store.Snapshot(t.resource())
	if it := snapshot.Get(t.Namespace, t.Name); it != nil {
		return it, nil
	}
	changes, err := a.store.Watch(t.resource(), snapshot.Revision())
	if err != nil {
		return nil, err
	}
	for {
		events, err := changes.Next(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
		for _, e := range events {
			if e.Item.Key == t.key() && e.Type != watch.Deleted {
				return e.Item, nil
			}
		}
	}
}
