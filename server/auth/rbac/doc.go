// Package rbac authorizes by the Roles, ClusterRoles and bindings that a cluster holds, as Kubernetes' RBAC does.
//
//	index := rbac.NewIndex()
//	go index.Run(ctx, api, synced)
//	allowed, reason := index.Authorize(user, attributes)
//
// The index follows the four kinds and keeps, for everybody who is named in a binding, what it gives them: a request
// is authorized from memory, with nothing read, decoded or sorted for it. Guards keep users from giving what they do
// not have. Reconcile makes the roles and bindings that are in every cluster.
package rbac
