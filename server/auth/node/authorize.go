package node

import (
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/fields"

	"leme/server/auth"
	"leme/server/auth/rbac"
)

// Authorizer allows the agents of nodes what is their own node's.
type Authorizer struct{ Graph *Graph }

var (
	reading = []string{"get", "list", "watch"}
	leasing = []string{"get", "create", "update", "patch", "delete"}
	rules   = append(rbac.NodeRules(), agentRules...)
)

// agentRules are what Leme's agents do beyond Kubernetes': they send what is for services on to pods, and pull from the
// cluster's own registry.
var agentRules = []rbacv1.PolicyRule{
	{Verbs: reading, APIGroups: []string{"discovery.k8s.io"}, Resources: []string{"endpointslices"}},
	{Verbs: []string{"get"}, APIGroups: []string{auth.RegistryGroup}, Resources: []string{"images", "images/upstream"}},
}

// Authorize implements auth.Authorizer.
func (z Authorizer) Authorize(u auth.User, a auth.Attributes) (bool, string) {
	node, agent := NameOf(u)
	switch {
	case !agent:
		return false, ""
	case node == "":
		return false, fmt.Sprintf("unknown node for user %q", u.Name)
	}
	if problem := z.problem(node, &a); problem != "" {
		return false, problem
	}
	return rbac.Allows(rules, a), ""
}

// problem is why an agent has no business with what it asks for; "" where there is none.
func (z Authorizer) problem(node string, a *auth.Attributes) string {
	switch {
	case a.Path != "":
		return ""
	case a.Group == "coordination.k8s.io" && a.Resource == "leases":
		return leaseProblem(node, a)
	case a.Group == "storage.k8s.io" && a.Resource == "csinodes":
		if a.Name != node && a.Verb != "create" {
			return "can only access CSINode with the same name as the requesting node"
		}
	case a.Group != "":
		return ""
	}
	switch a.Resource {
	case "secrets", "configmaps":
		return z.readProblem(node, a, reading)
	case "persistentvolumeclaims":
		return z.readProblem(node, a, []string{"get"})
	case "persistentvolumes":
		if a.Verb != "get" || a.Subresource != "" {
			return "can only get individual resources of this type"
		}
		return z.relation(node, a)
	case "serviceaccounts":
		if a.Subresource == "token" {
			return z.tokenProblem(node, a)
		}
		return z.readProblem(node, a, []string{"get"})
	case "nodes":
		return nodeProblem(node, a)
	case "pods":
		return z.podProblem(node, a)
	}
	return ""
}

// readProblem lets an agent read single objects that its pods name; a list or watch of one object by its name is such.
func (z Authorizer) readProblem(node string, a *auth.Attributes, verbs []string) string {
	switch {
	case !slices.Contains(verbs, a.Verb):
		return "can only read resources of this type"
	case a.Subresource != "":
		return "cannot read subresource"
	case a.Namespace == "":
		return "can only read namespaced object of this type"
	}
	return z.relation(node, a)
}

func (z Authorizer) tokenProblem(node string, a *auth.Attributes) string {
	if a.Verb != "create" {
		return "can only create tokens for individual service accounts"
	}
	return z.relation(node, a)
}

func (z Authorizer) relation(node string, a *auth.Attributes) string {
	switch {
	case a.Name == "":
		return "No Object name found"
	case !z.Graph.has(node, object{a.Resource, place{a.Namespace, a.Name}}):
		return fmt.Sprintf("no relationship found between node '%s' and this object", node)
	}
	return ""
}

func leaseProblem(node string, a *auth.Attributes) string {
	switch {
	case !slices.Contains(leasing, a.Verb):
		return "can only get, create, update, patch, or delete a node lease"
	case a.Namespace != corev1.NamespaceNodeLease:
		return fmt.Sprintf("can only access leases in the %q system namespace", corev1.NamespaceNodeLease)
	case a.Verb != "create" && a.Name != node: // which name is made, the guard looks at
		return "can only access node lease with the same name as the requesting node"
	}
	return ""
}

func nodeProblem(node string, a *auth.Attributes) string {
	if a.Verb == "create" || a.Name == node {
		return ""
	}
	if slices.Contains(reading, a.Verb) {
		return fmt.Sprintf("node '%s' cannot read all nodes, only its own Node object", node)
	}
	return fmt.Sprintf("node '%s' cannot modify other nodes, only its own Node object", node)
}

func (z Authorizer) podProblem(node string, a *auth.Attributes) string {
	switch a.Verb {
	case "get":
		return z.relation(node, a)
	case "list", "watch":
		if !selectsNode(a.FieldSelector, node) {
			return "can only list/watch pods with spec.nodeName field selector"
		}
	}
	return ""
}

func selectsNode(selector, node string) bool {
	parsed, err := fields.ParseSelector(selector)
	if err != nil {
		return false
	}
	selected, ok := parsed.RequiresExactMatch("spec.nodeName")
	return ok && selected == node
}

// Rules implements auth.RuleLister: what an agent may do depends on its pods, which is no list of rules.
func (z Authorizer) Rules(u auth.User, _ string) ([]rbacv1.PolicyRule, error) {
	if _, agent := NameOf(u); agent {
		return nil, errors.New("node authorizer does not support user rule resolution")
	}
	return nil, nil
}
