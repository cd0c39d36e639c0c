package controller

import (
	"context"
	"slices"
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/allocate"
	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

// serviceCIDRs keeps the ranges of services' addresses for as long as they are in use, and says so.
type serviceCIDRs struct {
	ranges    resource.Typed[*networkingv1.ServiceCIDR]
	addresses resource.Typed[*networkingv1.IPAddress]
	now       func() time.Time
}

func newServiceCIDRs(e *environment) component {
	const user = "system:controller:service-cidrs-controller"
	c := &serviceCIDRs{
		ranges:    resource.For[*networkingv1.ServiceCIDR](e.api, kind.ServiceCIDR, user),
		addresses: resource.For[*networkingv1.IPAddress](e.api, kind.IPAddress, user),
		now:       e.now,
	}
	return &loop[objectKey]{
		name:    "servicecidr",
		workers: 1,
		sources: []source[objectKey]{
			{of(e.api, kind.ServiceCIDR), c.leaving},
			{of(e.api, kind.IPAddress), c.leaving},
		},
		reconcile: c.reconcile,
	}
}

// leaving gives the range that changed, and those that wait for their end: any range or address may have kept them.
func (c *serviceCIDRs) leaving(e store.Event, add func(objectKey)) {
	if e.Item.Key.GroupResource == kind.ServiceCIDR.GroupResource() {
		itself(e, add)
	}
	for _, r := range c.ranges.List("", func(r *networkingv1.ServiceCIDR) bool { return r.DeletionTimestamp != nil }) {
		add(objectKey{Name: r.Name})
	}
}

func (c *serviceCIDRs) reconcile(ctx context.Context, key objectKey) (time.Duration, error) {
	r, ok := c.ranges.Get("", key.Name)
	if !ok {
		return 0, nil
	}
	plan := planServiceCIDR(r, c.ranges.List("", nil), c.addresses.List("", nil), c.now())
	return plan.again, plan.apply(ctx, c.ranges, r)
}

func (p serviceCIDRPlan) apply(ctx context.Context, ranges resource.Typed[*networkingv1.ServiceCIDR], r *networkingv1.ServiceCIDR) error {
	if slices.Contains(r.Finalizers, serviceCIDRFinalizer) != p.protect {
		_, err := ranges.Update(ctx, "", r.Name, func(is *networkingv1.ServiceCIDR) error {
			others := slices.DeleteFunc(is.Finalizers, func(f string) bool { return f == serviceCIDRFinalizer })
			if is.Finalizers = others; p.protect {
				is.Finalizers = append(others, serviceCIDRFinalizer)
			}
			return nil
		})
		if err != nil || !p.protect {
			return ignoreGone(err)
		}
	}
	if p.ready == nil {
		return nil
	}
	_, err := ranges.UpdateStatus(ctx, "", r.Name, func(is *networkingv1.ServiceCIDR) error {
		meta.SetStatusCondition(&is.Status.Conditions, *p.ready)
		return nil
	})
	return ignoreGone(err)
}

const (
	serviceCIDRFinalizer = "networking.k8s.io/service-cidr-finalizer"
	// serviceCIDRGrace is how long a range stays that nothing uses: a service that got an address of it may be on its way.
	serviceCIDRGrace = 10 * time.Second
)

// serviceCIDRPlan is what is due for a range.
type serviceCIDRPlan struct {
	protect bool              // whether it is to have the finalizer
	ready   *metav1.Condition // nil: as it is
	again   time.Duration
}

// planServiceCIDR lets a range go once none of its addresses would be left without one.
func planServiceCIDR(r *networkingv1.ServiceCIDR, all []*networkingv1.ServiceCIDR, addresses []*networkingv1.IPAddress, now time.Time) serviceCIDRPlan {
	if r.DeletionTimestamp == nil {
		condition := meta.FindStatusCondition(r.Status.Conditions, networkingv1.ServiceCIDRConditionReady)
		plan := serviceCIDRPlan{protect: true}
		if condition == nil || condition.Status != metav1.ConditionTrue {
			plan.ready = &metav1.Condition{
				Type: networkingv1.ServiceCIDRConditionReady, Status: metav1.ConditionTrue, Message: "Kubernetes Service CIDR is ready",
			}
		}
		return plan
	}
	if inUse(r, all, addresses) {
		return serviceCIDRPlan{protect: true, ready: &metav1.Condition{
			Type: networkingv1.ServiceCIDRConditionReady, Status: metav1.ConditionFalse, Reason: networkingv1.ServiceCIDRReasonTerminating,
			Message: "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR",
		}}
	}
	if left := serviceCIDRGrace - now.Sub(r.DeletionTimestamp.Time); left > 0 {
		return serviceCIDRPlan{protect: slices.Contains(r.Finalizers, serviceCIDRFinalizer), again: left}
	}
	return serviceCIDRPlan{}
}

// inUse tells whether an address of services is of this range alone.
func inUse(r *networkingv1.ServiceCIDR, all []*networkingv1.ServiceCIDR, addresses []*networkingv1.IPAddress) bool {
	return slices.ContainsFunc(addresses, func(a *networkingv1.IPAddress) bool {
		if a.Labels[networkingv1.LabelManagedBy] != allocate.ManagedBy {
			return false
		}
		of := rangesOf(a.Name, all)
		return len(of) == 1 && of[0].Name == r.Name
	})
}
