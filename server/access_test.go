package server

import (
	"context"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	applyrbacv1 "k8s.io/client-go/applyconfigurations/rbac/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"leme/server/auth/rbac"
)

// as is a client that acts as somebody else.
func as(t *testing.T, kubeconfig, user string, groups ...string) kubernetes.Interface {
	t.Helper()
	config := clientConfig(t, kubeconfig)
	config.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: groups}
	return kubernetes.NewForConfigOrDie(config)
}

// eventually waits until something holds: what a binding gives is known a moment after it is made.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	err := wait.PollUntilContextTimeout(t.Context(), 5*time.Millisecond, 10*time.Second, true,
		func(context.Context) (bool, error) { return holds(), nil })
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// refused checks that an error is a 403 that says something.
func refused(t *testing.T, err error, words string) {
	t.Helper()
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), words) {
		t.Errorf("got  %v\nwant %s", err, words)
	}
}

func grantRole(t *testing.T, admin kubernetes.Interface, name, kind, role, user string) {
	t.Helper()
	b := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		RoleRef:    rbacv1.RoleRef{Kind: kind, Name: role},
		Subjects:   []rbacv1.Subject{{Kind: "User", Name: user}},
	}
	if _, err := admin.RbacV1().RoleBindings("default").Create(t.Context(), b, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func TestAccessFollowsRoles(t *testing.T) {
	_, kubeconfig := start(t)
	ctx := t.Context()
	admin, jane := kubernetes.NewForConfigOrDie(clientConfig(t, kubeconfig)), as(t, kubeconfig, "jane", "staff")
	list := func(namespace string) error {
		_, err := jane.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
		return err
	}
	refused(t, list("default"), `pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default"`)
	if _, err := jane.Discovery().ServerGroups(); err != nil {
		t.Errorf("discovery: %v", err)
	}

	grantRole(t, admin, "janes", "ClusterRole", "view", "jane")
	eventually(t, "jane views", func() bool { return list("default") == nil })
	refused(t, list("kube-system"), `in the namespace "kube-system"`)
	_, err := jane.CoreV1().Secrets("default").List(ctx, metav1.ListOptions{})
	refused(t, err, `cannot list resource "secrets"`)
	err = jane.CoreV1().Pods("default").Delete(ctx, "x", metav1.DeleteOptions{})
	refused(t, err, `pods "x" is forbidden: User "jane" cannot delete resource "pods"`)

	may := func(verb string) authorizationv1.SubjectAccessReviewStatus {
		review, err := admin.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorizationv1.SubjectAccessReview{
			Spec: authorizationv1.SubjectAccessReviewSpec{User: "jane", ResourceAttributes: &authorizationv1.ResourceAttributes{
				Namespace: "default", Verb: verb, Resource: "pods",
			}},
		}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return review.Status
	}
	if got := may("get"); !got.Allowed || got.Reason != `RBAC: allowed by RoleBinding "janes/default" of ClusterRole "view" to User "jane"` {
		t.Errorf("got %v", got)
	}
	if got := may("create"); got.Allowed {
		t.Errorf("got %v", got)
	}
	rules, err := jane.AuthorizationV1().SelfSubjectRulesReviews().Create(ctx, &authorizationv1.SelfSubjectRulesReview{
		Spec: authorizationv1.SelfSubjectRulesReviewSpec{Namespace: "default"}}, metav1.CreateOptions{})
	if err != nil || len(rules.Status.ResourceRules) < 5 || len(rules.Status.NonResourceRules) < 2 || rules.Status.Incomplete {
		t.Errorf("got %v, %v", rules, err)
	}
	who, err := jane.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil || who.Status.UserInfo.Username != "jane" {
		t.Errorf("got %v, %v", who, err)
	}

	if err := admin.RbacV1().RoleBindings("default").Delete(ctx, "janes", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "jane views no more", func() bool { return apierrors.IsForbidden(list("default")) })
}

func TestNobodyGivesWhatTheyDoNotHave(t *testing.T) {
	_, kubeconfig := start(t)
	ctx := t.Context()
	admin, bob := kubernetes.NewForConfigOrDie(clientConfig(t, kubeconfig)), as(t, kubeconfig, "bob")
	adminRoles, roles := admin.RbacV1().Roles("default"), bob.RbacV1().Roles("default")
	keeper := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: "keeper"}, Rules: []rbacv1.PolicyRule{
		{Verbs: []string{"create", "get", "update", "patch"}, APIGroups: []string{rbacv1.GroupName}, Resources: []string{"roles", "rolebindings"}},
		{Verbs: []string{"get"}, APIGroups: []string{""}, Resources: []string{"pods"}},
		{Verbs: []string{"update", "patch"}, APIGroups: []string{""}, Resources: []string{"configmaps"}},
	}}
	if _, err := adminRoles.Create(ctx, keeper, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	grantRole(t, admin, "bobs", "Role", "keeper", "bob")

	role := func(name string, verbs ...string) *rbacv1.Role {
		return &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: []rbacv1.PolicyRule{
			{Verbs: verbs, APIGroups: []string{""}, Resources: []string{"pods"}}}}
	}
	eventually(t, "bob gives what he has", func() bool {
		_, err := roles.Create(ctx, role("reader", "get"), metav1.CreateOptions{})
		return err == nil
	})
	const words = `is attempting to grant RBAC permissions not currently held:` + "\n" + `{APIGroups:[""], Resources:["pods"], Verbs:["list" "delete"]}`
	_, err := roles.Create(ctx, role("writer", "get", "list", "delete"), metav1.CreateOptions{})
	refused(t, err, words)
	_, err = roles.Update(ctx, role("reader", "get", "list", "delete"), metav1.UpdateOptions{})
	refused(t, err, words)
	_, err = roles.Apply(ctx, applyrbacv1.Role("writer", "default").WithRules(applyrbacv1.PolicyRule().WithVerbs("list", "delete").WithAPIGroups("").WithResources("pods")), metav1.ApplyOptions{FieldManager: "t"})
	refused(t, err, words)

	bindings := bob.RbacV1().RoleBindings("default")
	binding := &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "more"}, RoleRef: rbacv1.RoleRef{Kind: "ClusterRole", Name: "cluster-admin"},
		Subjects: []rbacv1.Subject{{Kind: "User", Name: "bob"}}}
	_, err = bindings.Create(ctx, binding, metav1.CreateOptions{})
	refused(t, err, `{APIGroups:["*"], Resources:["*"], Verbs:["*"]}`)
	binding.RoleRef = rbacv1.RoleRef{Kind: "Role", Name: "reader"}
	if _, err := bindings.Create(ctx, binding, metav1.CreateOptions{}); err != nil {
		t.Errorf("giving what he has: %v", err)
	}
	_, err = bob.CoreV1().ConfigMaps("default").Update(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "x"}}, metav1.UpdateOptions{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("updating what is not there: %v", err)
	}
	_, err = bob.CoreV1().ConfigMaps("default").Patch(ctx, "x", "application/apply-patch+yaml",
		[]byte(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"}}`), metav1.PatchOptions{FieldManager: "t"})
	refused(t, err, `User "bob" cannot create resource "configmaps"`)

	keeper.Rules[0].Verbs = append(keeper.Rules[0].Verbs, "escalate", "bind")
	if _, err := adminRoles.Update(ctx, keeper, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "bob may escalate", func() bool {
		_, err := roles.Create(ctx, role("writer", "get", "list", "delete"), metav1.CreateOptions{})
		return err == nil
	})
	binding.Name, binding.RoleRef.Name = "written", "writer"
	if _, err := bindings.Create(ctx, binding, metav1.CreateOptions{}); err != nil {
		t.Errorf("binding: %v", err)
	}
}

func TestReadersDoNotReachIntoPods(t *testing.T) {
	_, kubeconfig := start(t)
	ctx := t.Context()
	admin, eve := kubernetes.NewForConfigOrDie(clientConfig(t, kubeconfig)), as(t, kubeconfig, "eve")
	exec := func() error {
		return eve.CoreV1().RESTClient().Get().Namespace("default").Resource("pods").Name("web").SubResource("exec").Do(ctx).Error()
	}
	refused(t, exec(), `cannot get resource "pods/exec"`)
	reader := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: "reader"}, Rules: []rbacv1.PolicyRule{
		{Verbs: []string{"get"}, APIGroups: []string{""}, Resources: []string{"pods/exec"}}}}
	if _, err := admin.RbacV1().Roles("default").Create(ctx, reader, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	grantRole(t, admin, "eves", "Role", "reader", "eve")
	eventually(t, "eve may get, and not create", func() bool {
		return strings.Contains(exec().Error(), `User "eve" cannot create resource "pods/exec"`)
	})
}

func TestDefaultRolesAreThere(t *testing.T) {
	_, kubeconfig := start(t)
	admin := kubernetes.NewForConfigOrDie(clientConfig(t, kubeconfig)).RbacV1()
	for _, want := range rbac.ClusterRoles() {
		got, err := admin.ClusterRoles().Get(t.Context(), want.Name, metav1.GetOptions{})
		if err != nil || got.Annotations[rbacv1.AutoUpdateAnnotationKey] != "true" {
			t.Errorf("%s: %v", want.Name, err)
		}
	}
	eventually(t, "admin holds what view does", func() bool {
		r, err := admin.ClusterRoles().Get(t.Context(), "admin", metav1.GetOptions{})
		return err == nil && len(r.Rules) > 15
	})
}
