package kind

// All returns a new set of the built-in kinds.
func All() *Set {
	return NewSet(
		// core/v1
		ConfigMap,
		Endpoints,
		Event,
		LimitRange,
		Namespace,
		Node,
		PersistentVolume,
		PersistentVolumeClaim,
		Pod,
		PodTemplate,
		ReplicationController,
		ResourceQuota,
		Secret,
		Service,
		ServiceAccount,
		// apps/v1
		ControllerRevision,
		DaemonSet,
		Deployment,
		ReplicaSet,
		StatefulSet,
		// autoscaling/v2, v1
		HorizontalPodAutoscaler,
		HorizontalPodAutoscalerV1,
		// batch/v1
		CronJob,
		Job,
		// certificates.k8s.io/v1
		CertificateSigningRequest,
		ClusterTrustBundle,
		// coordination.k8s.io/v1
		Lease,
		// discovery.k8s.io/v1
		EndpointSlice,
		// events.k8s.io/v1
		EventsEvent,
		// networking.k8s.io/v1
		Ingress,
		IngressClass,
		IPAddress,
		NetworkPolicy,
		ServiceCIDR,
		// node.k8s.io/v1
		RuntimeClass,
		// policy/v1
		PodDisruptionBudget,
		// rbac.authorization.k8s.io/v1
		ClusterRole,
		ClusterRoleBinding,
		Role,
		RoleBinding,
		// scheduling.k8s.io/v1
		PriorityClass,
		// storage.k8s.io/v1
		CSIDriver,
		CSINode,
		CSIStorageCapacity,
		StorageClass,
		VolumeAttachment,
		// metrics.k8s.io/v1beta1, last: its resources are named as core ones
		NodeMetrics,
		PodMetrics,
	)
}
