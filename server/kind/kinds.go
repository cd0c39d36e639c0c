package kind

// All returns a new set of the built-in kinds.
func All() *Set {
	return NewSet(
		// core/v1
		ConfigMap,
		Event,
		LimitRange,
		Namespace,
		Node,
		Pod,
		PodTemplate,
		ResourceQuota,
		Secret,
		ServiceAccount,
		// apps/v1
		ControllerRevision,
		Deployment,
		ReplicaSet,
		// autoscaling/v2, v1
		HorizontalPodAutoscaler,
		HorizontalPodAutoscalerV1,
		// coordination.k8s.io/v1
		Lease,
		// events.k8s.io/v1
		EventsEvent,
		// node.k8s.io/v1
		RuntimeClass,
		// rbac.authorization.k8s.io/v1
		ClusterRole,
		ClusterRoleBinding,
		Role,
		RoleBinding,
		// scheduling.k8s.io/v1
		PriorityClass,
	)
}
