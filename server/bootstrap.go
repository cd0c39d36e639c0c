package server

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/auth"
	"leme/server/auth/rbac"
	"leme/server/kind"
	"leme/server/resource"
)

// firstNamespaces are there in every cluster.
var firstNamespaces = []string{metav1.NamespaceDefault, metav1.NamespaceSystem, metav1.NamespacePublic, corev1.NamespaceNodeLease}

// bootstrap makes what a new cluster needs and leaves alone what is there.
func bootstrap(ctx context.Context, api *resource.API, serviceCIDR string) error {
	if err := bootstrapNamespaces(ctx, api); err != nil {
		return fmt.Errorf("making the first namespaces: %w", err)
	}
	if err := bootstrapPriorityClasses(ctx, api); err != nil {
		return fmt.Errorf("making the system's priority classes: %w", err)
	}
	if err := bootstrapServices(ctx, api, serviceCIDR); err != nil {
		return fmt.Errorf("making the services' range: %w", err)
	}
	if err := bootstrapStorageClass(ctx, api); err != nil {
		return fmt.Errorf("making the storage class: %w", err)
	}
	return rbac.Reconcile(ctx, api, auth.UserServer)
}

// bootstrapServices makes the range that services get their addresses of, ready to be used. A range that is there stays.
func bootstrapServices(ctx context.Context, api *resource.API, cidr string) error {
	ranges := resource.For[*networkingv1.ServiceCIDR](api, kind.ServiceCIDR, auth.UserServer)
	if _, ok := ranges.Get("", kind.DefaultServiceCIDR); ok {
		return nil
	}
	_, err := ranges.Create(ctx, &networkingv1.ServiceCIDR{
		ObjectMeta: metav1.ObjectMeta{Name: kind.DefaultServiceCIDR},
		Spec:       networkingv1.ServiceCIDRSpec{CIDRs: []string{cidr}},
	})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	_, err = ranges.UpdateStatus(ctx, "", kind.DefaultServiceCIDR, func(c *networkingv1.ServiceCIDR) error {
		meta.SetStatusCondition(&c.Status.Conditions, metav1.Condition{
			Type: networkingv1.ServiceCIDRConditionReady, Status: metav1.ConditionTrue, Message: "Kubernetes default Service CIDR is ready",
		})
		return nil
	})
	return err
}

func bootstrapPriorityClasses(ctx context.Context, api *resource.API) error {
	classes := resource.For[*schedulingv1.PriorityClass](api, kind.PriorityClass, auth.UserServer)
	for _, class := range kind.SystemPriorityClasses() {
		if _, ok := classes.Get("", class.Name); ok {
			continue
		}
		if _, err := classes.Create(ctx, class); err != nil && !apierrors.IsAlreadyExists(err) {
			return err
		}
	}
	return nil
}

func bootstrapStorageClass(ctx context.Context, api *resource.API) error {
	classes := resource.For[*storagev1.StorageClass](api, kind.StorageClass, auth.UserServer)
	class := kind.LocalPathClass()
	if _, ok := classes.Get("", class.Name); ok {
		return nil
	}
	_, err := classes.Create(ctx, class)
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

func bootstrapNamespaces(ctx context.Context, api *resource.API) error {
	namespaces := resource.For[*corev1.Namespace](api, kind.Namespace, auth.UserServer)
	for _, name := range firstNamespaces {
		if _, ok := namespaces.Get("", name); ok {
			continue
		}
		_, err := namespaces.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return err
		}
	}
	return nil
}
