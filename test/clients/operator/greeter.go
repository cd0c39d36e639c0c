package main

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	applymetav1 "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

const (
	greeting  = "example.com/greeting"
	finalizer = "example.com/last-words"
	// greetedCondition is of a Deployment whose greeting is written.
	greetedCondition appsv1.DeploymentConditionType = "Greeted"
)

func isGreeted(obj client.Object) bool {
	_, ok := obj.(*appsv1.Deployment)
	return ok && (obj.GetAnnotations()[greeting] != "" || controllerutil.ContainsFinalizer(obj, finalizer))
}

// greeter brings a Deployment's ConfigMap, condition and finalizer to what its annotation asks for.
type greeter struct {
	client.Client
	events events.EventRecorder
	name   string
}

// Reconcile implements reconcile.Reconciler.
func (g *greeter) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var d appsv1.Deployment
	if err := g.Get(ctx, request.NamespacedName, &d); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if d.DeletionTimestamp != nil {
		return ctrl.Result{}, g.end(ctx, &d)
	}
	if controllerutil.AddFinalizer(&d, finalizer) {
		if err := g.Update(ctx, &d); err != nil {
			return ctrl.Result{}, ignoreConflict(err)
		}
	}
	if err := g.greet(ctx, &d); err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{}, ignoreConflict(g.report(ctx, &d))
}

// ignoreConflict: what was written in between brings another look.
func ignoreConflict(err error) error {
	if apierrors.IsConflict(err) {
		return nil
	}
	return err
}

// greet applies the ConfigMap, which the Deployment owns.
func (g *greeter) greet(ctx context.Context, d *appsv1.Deployment) error {
	config := applycorev1.ConfigMap(d.Name+"-greeting", d.Namespace).
		WithOwnerReferences(applymetav1.OwnerReference().
			WithAPIVersion("apps/v1").WithKind("Deployment").WithName(d.Name).WithUID(d.UID).
			WithController(true).WithBlockOwnerDeletion(true)).
		WithData(map[string]string{"greeting": d.Annotations[greeting]})
	if err := g.Apply(ctx, config, client.FieldOwner("greeter"), client.ForceOwnership); err != nil {
		return fmt.Errorf("applying the greeting of %s: %w", d.Name, err)
	}
	return nil
}

// report says in the Deployment's status, once, that it is greeted, and by whom.
func (g *greeter) report(ctx context.Context, d *appsv1.Deployment) error {
	for _, c := range d.Status.Conditions {
		if c.Type == greetedCondition {
			return nil
		}
	}
	now := metav1.Now()
	d.Status.Conditions = append(d.Status.Conditions, appsv1.DeploymentCondition{
		Type: greetedCondition, Status: corev1.ConditionTrue, Reason: "Greeted", Message: "by " + g.name,
		LastUpdateTime: now, LastTransitionTime: now,
	})
	if err := g.Status().Update(ctx, d); err != nil {
		return err
	}
	g.events.Eventf(d, nil, corev1.EventTypeNormal, "Greeted", "Greet", "greeted by %s", g.name)
	return nil
}

// end keeps the last words and lets the Deployment go.
func (g *greeter) end(ctx context.Context, d *appsv1.Deployment) error {
	if !controllerutil.ContainsFinalizer(d, finalizer) {
		return nil
	}
	words := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: d.Name + "-last-words", Namespace: d.Namespace},
		Data:       map[string]string{"by": g.name},
	}
	if err := g.Create(ctx, words); err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	before := d.DeepCopy()
	controllerutil.RemoveFinalizer(d, finalizer)
	return client.IgnoreNotFound(g.Patch(ctx, d, client.MergeFrom(before)))
}
