package rbac

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/component-helpers/auth/rbac/reconciliation"

	"leme/server/kind"
	"leme/server/resource"
)

// Reconcile makes the default roles and bindings, and adds what is missing to those that are there: an administrator's
// additions stay, and so does everything whose annotation rbac.authorization.kubernetes.io/autoupdate is "false".
func Reconcile(ctx context.Context, api *resource.API, user string) error {
	// All at once: etcd makes one write of many to its disk.
	g, ctx := errgroup.WithContext(ctx)
	roles := roleClient{ctx, resource.For[*rbacv1.ClusterRole](api, kind.ClusterRole, user)}
	for _, r := range ClusterRoles() {
		g.Go(func() error {
			o := reconciliation.ReconcileRoleOptions{Role: reconciliation.ClusterRoleRuleOwner{ClusterRole: r}, Confirm: true, Client: roles}
			if _, err := o.Run(); err != nil {
				return fmt.Errorf("reconciling the cluster role %s: %w", r.Name, err)
			}
			return nil
		})
	}
	bindings := bindingClient{ctx, resource.For[*rbacv1.ClusterRoleBinding](api, kind.ClusterRoleBinding, user)}
	for _, b := range ClusterRoleBindings() {
		g.Go(func() error {
			o := reconciliation.ReconcileRoleBindingOptions{
				RoleBinding: reconciliation.ClusterRoleBindingAdapter{ClusterRoleBinding: b}, Confirm: true, Client: bindings,
			}
			if _, err := o.Run(); err != nil {
				return fmt.Errorf("reconciling the cluster role binding %s: %w", b.Name, err)
			}
			return nil
		})
	}
	return g.Wait()
}

// roleClient gives the reconciliation the cluster roles.
type roleClient struct {
	ctx   context.Context
	roles resource.Typed[*rbacv1.ClusterRole]
}

func (c roleClient) Get(_, name string) (reconciliation.RuleOwner, error) {
	r, ok := c.roles.Get("", name)
	if !ok {
		return nil, apierrors.NewNotFound(kind.ClusterRole.GroupResource(), name)
	}
	return reconciliation.ClusterRoleRuleOwner{ClusterRole: r}, nil
}

func (c roleClient) Create(o reconciliation.RuleOwner) (reconciliation.RuleOwner, error) {
	r, err := c.roles.Create(c.ctx, o.GetObject().(*rbacv1.ClusterRole))
	return reconciliation.ClusterRoleRuleOwner{ClusterRole: r}, err
}

func (c roleClient) Update(o reconciliation.RuleOwner) (reconciliation.RuleOwner, error) {
	wanted := o.GetObject().(*rbacv1.ClusterRole)
	r, err := c.roles.Update(c.ctx, "", wanted.Name, func(r *rbacv1.ClusterRole) error {
		wanted.DeepCopyInto(r)
		return nil
	})
	return reconciliation.ClusterRoleRuleOwner{ClusterRole: r}, err
}

// bindingClient gives it the bindings.
type bindingClient struct {
	ctx      context.Context
	bindings resource.Typed[*rbacv1.ClusterRoleBinding]
}

func (c bindingClient) Get(_, name string) (reconciliation.RoleBinding, error) {
	b, ok := c.bindings.Get("", name)
	if !ok {
		return nil, apierrors.NewNotFound(kind.ClusterRoleBinding.GroupResource(), name)
	}
	return reconciliation.ClusterRoleBindingAdapter{ClusterRoleBinding: b}, nil
}

func (c bindingClient) Create(o reconciliation.RoleBinding) (reconciliation.RoleBinding, error) {
	b, err := c.bindings.Create(c.ctx, o.GetObject().(*rbacv1.ClusterRoleBinding))
	return reconciliation.ClusterRoleBindingAdapter{ClusterRoleBinding: b}, err
}

func (c bindingClient) Update(o reconciliation.RoleBinding) (reconciliation.RoleBinding, error) {
	wanted := o.GetObject().(*rbacv1.ClusterRoleBinding)
	b, err := c.bindings.Update(c.ctx, "", wanted.Name, func(b *rbacv1.ClusterRoleBinding) error {
		wanted.DeepCopyInto(b)
		return nil
	})
	return reconciliation.ClusterRoleBindingAdapter{ClusterRoleBinding: b}, err
}

func (c bindingClient) Delete(_, name string, uid types.UID) error {
	return c.bindings.Delete(c.ctx, "", name, metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(uid))})
}
