package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"

	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

const namespaceUser = "system:controller:namespace"

// emptiedCheck is when to look at a namespace again that was emptied: what finalizers hold leaves without an event.
const emptiedCheck = 500 * time.Millisecond

// namespaces empties what is being deleted, then lets it go.
type namespaces struct {
	api        *resource.API
	namespaces resource.Typed[*corev1.Namespace]
}

func newNamespaces(e *environment) component {
	c := &namespaces{api: e.api, namespaces: resource.For[*corev1.Namespace](e.api, kind.Namespace, namespaceUser)}
	return &loop[objectKey]{
		name:    "namespace",
		workers: 4,
		sources: []source[objectKey]{
			{of(e.api, kind.Namespace), itself},
			{everything(e.api, func(k *kind.Kind) bool { return k.Namespaced }), c.ofContent},
		},
		reconcile: c.reconcile,
	}
}

// ofContent gives the namespace that an object has just left, if it is being deleted; and one that an object
// came into although it is.
func (c *namespaces) ofContent(e store.Event, add func(objectKey)) {
	if e.Type == watch.Modified {
		return
	}
	ns, ok := c.namespaces.Get("", e.Item.Key.Namespace)
	if ok && ns.DeletionTimestamp != nil {
		add(objectKey{Name: ns.Name})
	}
}

// namespacePlan is what a namespace that is being deleted still needs.
type namespacePlan struct {
	empty    []*kind.Kind                // what is still in it and not yet being deleted
	waitFor  []string                    // what is being deleted and has not gone, in words
	remains  []corev1.NamespaceCondition // for people, when there is nothing to do but wait
	finalize bool
}

func (p namespacePlan) String() string {
	var kinds []string
	for _, k := range p.empty {
		kinds = append(kinds, k.Resource)
	}
	return fmt.Sprintf("delete [%s], wait for [%s], finalize %t", strings.Join(kinds, " "), strings.Join(p.waitFor, " "), p.finalize)
}

// content is how many objects of a kind are in a namespace, how many of them are not yet being deleted, and how many
// have which finalizers.
type content struct {
	kind        *kind.Kind
	left, alive int
	finalizers  map[string]int
}

func planNamespace(ns *corev1.Namespace, contents []content) namespacePlan {
	var plan namespacePlan
	if ns.DeletionTimestamp == nil || !slices.Contains(ns.Spec.Finalizers, corev1.FinalizerKubernetes) {
		return plan
	}
	for _, c := range contents {
		if c.alive > 0 {
			plan.empty = append(plan.empty, c.kind)
		}
		if c.left > 0 {
			plan.waitFor = append(plan.waitFor, fmt.Sprintf("%d %s", c.left, c.kind.Resource))
		}
	}
	plan.finalize = len(plan.waitFor) == 0
	if !plan.finalize && len(plan.empty) == 0 {
		plan.remains = remains(contents)
	}
	return plan
}

func (c *namespaces) reconcile(ctx context.Context, key objectKey) (time.Duration, error) {
	ns, ok := c.namespaces.Get("", key.Name)
	if !ok || ns.DeletionTimestamp == nil {
		return 0, nil
	}
	contents, err := c.contents(ctx, ns.Name)
	if err != nil {
		return 0, err
	}
	plan := planNamespace(ns, contents)
	if err := c.apply(ctx, ns, plan); err != nil || len(plan.empty) == 0 {
		return 0, err
	}
	return emptiedCheck, nil
}

// contents counts, of one moment that is not before now: what another server has written is seen too.
func (c *namespaces) contents(ctx context.Context, namespace string) ([]content, error) {
	var all []content
	for _, k := range c.api.Kinds().Stored() {
		if !k.Namespaced {
			continue
		}
		snapshot, err := c.api.Store().Consistent(ctx, k.GroupResource())
		if err != nil {
			return nil, fmt.Errorf("counting %s: %w", k.Resource, err)
		}
		n := content{kind: k, finalizers: map[string]int{}}
		snapshot.Ascend(namespace, "", "", func(item *store.Item) bool {
			n.left++
			o, ok := decoded[metav1.Object](item)
			if !ok {
				return true
			}
			if o.GetDeletionTimestamp() == nil {
				n.alive++
			}
			for _, finalizer := range o.GetFinalizers() {
				n.finalizers[finalizer]++
			}
			return true
		})
		all = append(all, n)
	}
	return all, nil
}

func (c *namespaces) apply(ctx context.Context, ns *corev1.Namespace, plan namespacePlan) error {
	if plan.finalize {
		return c.finalize(ctx, ns)
	}
	if len(plan.remains) > 0 {
		return c.tell(ctx, ns, plan.remains)
	}
	var failed []error
	for _, k := range plan.empty {
		t := resource.Target{Kind: k, Namespace: ns.Name, User: namespaceUser}
		background := metav1.DeletePropagationBackground
		if _, err := c.api.DeleteCollection(ctx, t, metav1.DeleteOptions{PropagationPolicy: &background}, metav1.ListOptions{}); err != nil {
			failed = append(failed, fmt.Errorf("emptying namespace %s of %s: %w", ns.Name, k.Resource, err))
		}
	}
	return errors.Join(failed...)
}

// finalize takes the finalizer away, and with it the namespace.
func (c *namespaces) finalize(ctx context.Context, ns *corev1.Namespace) error {
	errs := c.api.UpdateMany(ctx, []resource.Change{{
		Target: resource.Target{Kind: kind.Namespace, Name: ns.Name, Subresource: resource.Finalize, User: namespaceUser},
		Mutate: func(o runtime.Object) error {
			current := o.(*corev1.Namespace)
			if current.UID != ns.UID {
				return apierrors.NewNotFound(kind.Namespace.GroupResource(), ns.Name)
			}
			current.Spec.Finalizers = slices.DeleteFunc(current.Spec.Finalizers, func(f corev1.FinalizerName) bool {
				return f == corev1.FinalizerKubernetes
			})
			return nil
		},
	}})
	return ignoreGone(errs[0])
}
