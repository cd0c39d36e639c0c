package node

import corev1 "k8s.io/api/core/v1"

const (
	secrets         = "secrets"
	configMaps      = "configmaps"
	serviceAccounts = "serviceaccounts"
	claims          = "persistentvolumeclaims"
)

// visit calls fn for every name in a pod's spec of something that its agent needs; names may be empty, and come twice.
func visit(p *corev1.Pod, fn func(resource, name string)) {
	fn(serviceAccounts, p.Spec.ServiceAccountName)
	for _, s := range p.Spec.ImagePullSecrets {
		fn(secrets, s.Name)
	}
	for i := range p.Spec.InitContainers {
		visitEnv(p.Spec.InitContainers[i].Env, p.Spec.InitContainers[i].EnvFrom, fn)
	}
	for i := range p.Spec.Containers {
		visitEnv(p.Spec.Containers[i].Env, p.Spec.Containers[i].EnvFrom, fn)
	}
	for i := range p.Spec.EphemeralContainers {
		visitEnv(p.Spec.EphemeralContainers[i].Env, p.Spec.EphemeralContainers[i].EnvFrom, fn)
	}
	for i := range p.Spec.Volumes {
		visitVolume(p.Name, &p.Spec.Volumes[i], fn)
	}
}

func visitEnv(env []corev1.EnvVar, from []corev1.EnvFromSource, fn func(resource, name string)) {
	for _, e := range env {
		if e.ValueFrom == nil {
			continue
		}
		if s := e.ValueFrom.SecretKeyRef; s != nil {
			fn(secrets, s.Name)
		}
		if c := e.ValueFrom.ConfigMapKeyRef; c != nil {
			fn(configMaps, c.Name)
		}
	}
	for _, f := range from {
		if f.SecretRef != nil {
			fn(secrets, f.SecretRef.Name)
		}
		if f.ConfigMapRef != nil {
			fn(configMaps, f.ConfigMapRef.Name)
		}
	}
}

func visitVolume(pod string, v *corev1.Volume, fn func(resource, name string)) {
	switch {
	case v.Secret != nil:
		fn(secrets, v.Secret.SecretName)
	case v.ConfigMap != nil:
		fn(configMaps, v.ConfigMap.Name)
	case v.PersistentVolumeClaim != nil:
		fn(claims, v.PersistentVolumeClaim.ClaimName)
	case v.Ephemeral != nil:
		fn(claims, pod+"-"+v.Name)
	case v.CSI != nil && v.CSI.NodePublishSecretRef != nil:
		fn(secrets, v.CSI.NodePublishSecretRef.Name)
	case v.Projected != nil:
		for _, s := range v.Projected.Sources {
			if s.Secret != nil {
				fn(secrets, s.Secret.Name)
			}
			if s.ConfigMap != nil {
				fn(configMaps, s.ConfigMap.Name)
			}
		}
	}
}
