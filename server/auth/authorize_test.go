package auth

import "testing"

func TestRules(t *testing.T) {
	node := User{Name: "system:node:n1", Groups: []string{GroupNodes, GroupAuthenticated}}
	for _, tt := range []struct {
		name string
		user User
		ask  Attributes
		want bool
	}{
		{"a node reads pods", node, Attributes{Verb: "watch", Resource: "pods"}, true},
		{"a node makes itself", node, Attributes{Verb: "create", Resource: "nodes"}, true},
		{"a node's own status", node, Attributes{Verb: "patch", Resource: "nodes", Subresource: "status", Name: "n1"}, true},
		{"another node's status", node, Attributes{Verb: "patch", Resource: "nodes", Subresource: "status", Name: "n2"}, false},
		{"a node deletes itself", node, Attributes{Verb: "delete", Resource: "nodes", Name: "n1"}, false},
		{"a pod's status", node, Attributes{Verb: "patch", Resource: "pods", Subresource: "status", Namespace: "default", Name: "p"}, true},
		{"a pod's spec", node, Attributes{Verb: "patch", Resource: "pods", Namespace: "default", Name: "p"}, false},
		{"own lease", node, Attributes{Verb: "update", Group: "coordination.k8s.io", Resource: "leases", Namespace: "kube-node-lease", Name: "n1"}, true},
		{"own name in another namespace", node, Attributes{Verb: "update", Group: "coordination.k8s.io", Resource: "leases", Namespace: "default", Name: "n1"}, false},
		{"another's lease", node, Attributes{Verb: "update", Group: "coordination.k8s.io", Resource: "leases", Namespace: "kube-node-lease", Name: "n2"}, false},
		{"a node pulls", node, Attributes{Verb: "get", Path: "/v2/app/manifests/1"}, true},
		{"a node does not push", node, Attributes{Verb: "put", Path: "/v2/app/manifests/1"}, false},
		{"a secret", node, Attributes{Verb: "get", Resource: "secrets", Namespace: "default", Name: "s"}, true},
		{"changing a secret", node, Attributes{Verb: "update", Resource: "secrets", Namespace: "default", Name: "s"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, reason := (Rules{}).Authorize(tt.user, tt.ask); got != tt.want {
				t.Errorf("allowed = %v (%s)", got, reason)
			}
		})
	}
}
