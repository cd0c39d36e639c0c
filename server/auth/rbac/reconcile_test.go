package rbac

import (
	"context"
	"slices"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"

	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store/storetest"
)

func TestReconcileMendsAndLeavesAlone(t *testing.T) {
	api := resource.New(storetest.New(t), kind.All())
	ctx := t.Context()
	reconcile(ctx, t, api)
	roles := resource.For[*rbacv1.ClusterRole](api, kind.ClusterRole, "test")
	bindings := resource.For[*rbacv1.ClusterRoleBinding](api, kind.ClusterRoleBinding, "test")
	change := func(name string, mutate func(*rbacv1.ClusterRole)) {
		if _, err := roles.Update(ctx, "", name, func(r *rbacv1.ClusterRole) error {
			mutate(r)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	extra := on("", "get", "extras")
	change("system:discovery", func(r *rbacv1.ClusterRole) { r.Rules = []rbacv1.PolicyRule{extra} })
	change("system:monitoring", func(r *rbacv1.ClusterRole) {
		r.Rules, r.Annotations = nil, map[string]string{rbacv1.AutoUpdateAnnotationKey: "false"}
	})
	if _, err := bindings.Update(ctx, "", "cluster-admin", func(b *rbacv1.ClusterRoleBinding) error {
		b.Subjects = []rbacv1.Subject{toUser("jane")}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	reconcile(ctx, t, api)
	if r, _ := roles.Get("", "system:discovery"); len(r.Rules) < 2 || !slices.Equal(r.Rules[0].Resources, extra.Resources) {
		t.Errorf("discovery has %v", r.Rules)
	}
	if r, _ := roles.Get("", "system:monitoring"); len(r.Rules) > 0 {
		t.Errorf("monitoring has %v", r.Rules)
	}
	if b, _ := bindings.Get("", "cluster-admin"); !slices.Equal(b.Subjects, []rbacv1.Subject{toUser("jane"), toGroup("system:masters")}) {
		t.Errorf("cluster-admin is given to %v", b.Subjects)
	}
	before := roleRevision(t, api)
	reconcile(ctx, t, api)
	if after := roleRevision(t, api); after != before {
		t.Error("what is as it should be was written again")
	}
}

func reconcile(ctx context.Context, t *testing.T, api *resource.API) {
	t.Helper()
	if err := Reconcile(ctx, api, "test"); err != nil {
		t.Fatal(err)
	}
}

func roleRevision(t *testing.T, api *resource.API) int64 {
	t.Helper()
	snapshot, err := api.Store().Consistent(t.Context(), kind.ClusterRole.GroupResource())
	if err != nil {
		t.Fatal(err)
	}
	return snapshot.Revision()
}
