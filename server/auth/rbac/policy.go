package rbac

import (
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/auth"
)

// The default policy is what every cluster starts with, under Kubernetes' own names. ClusterRoles and
// ClusterRoleBindings list it.

const (
	bootstrapLabel   = "kubernetes.io/bootstrapping"
	bootstrapValue   = "rbac-defaults"
	aggregateToAdmin = "rbac.authorization.k8s.io/aggregate-to-admin"
	aggregateToEdit  = "rbac.authorization.k8s.io/aggregate-to-edit"
	aggregateToView  = "rbac.authorization.k8s.io/aggregate-to-view"

	groupUnauthenticated = "system:unauthenticated"
	groupServiceAccounts = "system:serviceaccounts"
	groupMonitoring      = "system:monitoring"
)

// ClusterRoles is the default cluster roles.
func ClusterRoles() []*rbacv1.ClusterRole {
	return append(userRoles(), systemRoles()...)
}

// ClusterRoleBindings is the default bindings.
func ClusterRoleBindings() []*rbacv1.ClusterRoleBinding {
	return []*rbacv1.ClusterRoleBinding{
		bind("cluster-admin", toGroup(auth.GroupMasters)),
		bind("system:monitoring", toGroup(groupMonitoring)),
		bind("system:discovery", toGroup(auth.GroupAuthenticated)),
		bind("system:basic-user", toGroup(auth.GroupAuthenticated)),
		bind("system:dashboard", toGroup(auth.GroupAuthenticated)),
		bind("system:registry-login", toGroup(auth.GroupAuthenticated)),
		bind("system:public-info-viewer", toGroup(auth.GroupAuthenticated), toGroup(groupUnauthenticated)),
		bind("system:service-account-issuer-discovery", toGroup(groupServiceAccounts)),
		bind("system:cluster-trust-bundle-discovery", toGroup(groupServiceAccounts)),
		bind("system:node-proxier", toUser("system:kube-proxy")),
		bind("system:kube-dns", rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: metav1.NamespaceSystem, Name: "kube-dns"}),
		bind("system:certificates.k8s.io:certificatesigningrequests:selfnodeclient", toGroup(auth.GroupNodes)),
		bind("system:node"), // agents are authorized one by one: see the node authorizer
	}
}

// The verbs that rules are made of.
const (
	get    = "get"
	read   = "get list watch"
	write  = "create delete deletecollection patch update"
	modify = "create update patch delete"
)

// on allows some verbs on some resources of an API group; both are separated by spaces.
func on(group, verbs, resources string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{Verbs: strings.Fields(verbs), APIGroups: []string{group}, Resources: strings.Fields(resources)}
}

// onPaths allows some verbs on paths that are no resources.
func onPaths(verbs, paths string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{Verbs: strings.Fields(verbs), NonResourceURLs: strings.Fields(paths)}
}

func role(name string, rules ...rbacv1.PolicyRule) *rbacv1.ClusterRole {
	return &rbacv1.ClusterRole{ObjectMeta: defaultMeta(name), Rules: rules}
}

// labelled puts a role into what roles aggregate by a label.
func labelled(r *rbacv1.ClusterRole, label string) *rbacv1.ClusterRole {
	r.Labels[label] = "true"
	return r
}

// aggregated is a role of all rules of the roles with a label.
func aggregated(name, label string) *rbacv1.ClusterRole {
	r := role(name)
	r.AggregationRule = &rbacv1.AggregationRule{ClusterRoleSelectors: []metav1.LabelSelector{{MatchLabels: map[string]string{label: "true"}}}}
	return r
}

func bind(role string, subjects ...rbacv1.Subject) *rbacv1.ClusterRoleBinding {
	return &rbacv1.ClusterRoleBinding{
		ObjectMeta: defaultMeta(role),
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		Subjects:   subjects,
	}
}

func toGroup(name string) rbacv1.Subject {
	return rbacv1.Subject{Kind: rbacv1.GroupKind, APIGroup: rbacv1.GroupName, Name: name}
}

func toUser(name string) rbacv1.Subject {
	return rbacv1.Subject{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: name}
}

func defaultMeta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name:        name,
		Labels:      map[string]string{bootstrapLabel: bootstrapValue},
		Annotations: map[string]string{rbacv1.AutoUpdateAnnotationKey: "true"},
	}
}
