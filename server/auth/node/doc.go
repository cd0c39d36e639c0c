// Package node authorizes the agents of nodes, as Kubernetes' node authorizer and its NodeRestriction admission do: an
// agent reads its own Node, the pods that are bound to it, and what those pods name; it writes its Node, its lease,
// and the status and end of its pods. Whoever gets hold of one node's credentials has no others'.
//
//	graph := node.NewGraph()
//	go graph.Run(ctx, api, synced)
//	authz := auth.Any{auth.Superusers, node.Authorizer{Graph: graph}, …}
//	api := resource.New(store, kinds, resource.WithGuards(node.Guard(nodes), …))
package node

import (
	"strings"

	"leme/server/auth"
)

// NameOf is the node whose agent a user is. agent tells the members of system:nodes; one whose name is no agent's has
// no node.
func NameOf(u auth.User) (node string, agent bool) {
	if !u.In(auth.GroupNodes) {
		return "", false
	}
	node, ok := strings.CutPrefix(u.Name, auth.NodePrefix)
	if !ok {
		return "", true
	}
	return node, true
}
