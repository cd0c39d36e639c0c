package rbac

import (
	rbacv1 "k8s.io/api/rbac/v1"

	"leme/server/auth"
)

// userRoles are the roles that people are given. Whoever adds kinds to a cluster adds them to admin, edit and view by
// the aggregation labels.
func userRoles() []*rbacv1.ClusterRole {
	edit := labelled(aggregated("edit", aggregateToEdit), aggregateToAdmin)
	view := labelled(aggregated("view", aggregateToView), aggregateToEdit)
	return []*rbacv1.ClusterRole{
		role("cluster-admin", on("*", "*", "*"), onPaths("*", "*")),
		aggregated("admin", aggregateToAdmin),
		edit,
		view,
		labelled(role("system:aggregate-to-admin",
			on("authorization.k8s.io", "create", "localsubjectaccessreviews"),
			on(rbacv1.GroupName, "create delete deletecollection get list patch update watch", "roles rolebindings"),
		), aggregateToAdmin),
		labelled(role("system:aggregate-to-edit", editing()...), aggregateToEdit),
		labelled(role("system:aggregate-to-view", viewing()...), aggregateToView),
		labelled(labelled(labelled(role("system:aggregated-metrics-reader", on("metrics.k8s.io", read, "pods nodes")),
			aggregateToView), aggregateToEdit), aggregateToAdmin),
	}
}

// editing is what changes objects in a namespace, and reaches into its pods. Reading secrets is part of it: they give
// access to the namespace's service accounts, and so does starting pods.
func editing() []rbacv1.PolicyRule {
	return []rbacv1.PolicyRule{
		on("", read, "pods/attach pods/proxy pods/exec pods/portforward secrets services/proxy"),
		on("", "impersonate", "serviceaccounts"),
		on("", write, "pods pods/attach pods/exec pods/portforward pods/proxy"),
		on("", "create", "pods/eviction"),
		on("", write, "configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy"),
		on("", "create", "serviceaccounts/token"),
		on("apps", write, "daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale"),
		on("autoscaling", write, "horizontalpodautoscalers"),
		on("batch", write, "cronjobs jobs"),
		on("policy", write, "poddisruptionbudgets"),
		on("networking.k8s.io", write, "ingresses networkpolicies"),
		on("coordination.k8s.io", write+" "+read, "leases"),
		on(auth.RegistryGroup, "update delete", "images"),
	}
}

// viewing is what shows objects in a namespace, but neither secrets nor who may do what.
func viewing() []rbacv1.PolicyRule {
	return []rbacv1.PolicyRule{
		on("", read, "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status"),
		on("", read, "bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status"),
		on("", read, "namespaces"),
		on("discovery.k8s.io", read, "endpointslices"),
		on("apps", read, "controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status"),
		on("autoscaling", read, "horizontalpodautoscalers horizontalpodautoscalers/status"),
		on("batch", read, "cronjobs cronjobs/status jobs jobs/status"),
		on("policy", read, "poddisruptionbudgets poddisruptionbudgets/status"),
		on("networking.k8s.io", read, "ingresses ingresses/status networkpolicies"),
		on(auth.RegistryGroup, "get list", "images"),
	}
}
