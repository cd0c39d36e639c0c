package kind

import corev1 "k8s.io/api/core/v1"

// The resources that a pod's spec may name objects of.
const (
	secretRefs    = "secrets"
	configMapRefs = "configmaps"
	accountRefs   = "serviceaccounts"
	claimRefs     = "persistentvolumeclaims"
)

// PodReferences calls fn for every name in a pod's spec of something that its agent needs, and its resource in the core
// group; names may be empty, and come twice.
func PodReferences(p *corev1.Pod, fn func(resource, name string)) {
	fn(accountRefs, p.Spec.ServiceAccountName)
	for _, s := range p.Spec.ImagePullSecrets {
		fn(secretRefs, s.Name)
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
			fn(secretRefs, s.Name)
		}
		if c := e.ValueFrom.ConfigMapKeyRef; c != nil {
			fn(configMapRefs, c.Name)
		}
	}
	for _, f := range from {
		if f.SecretRef != nil {
			fn(secretRefs, f.SecretRef.Name)
		}
		if f.ConfigMapRef != nil {
			fn(configMapRefs, f.ConfigMapRef.Name)
		}
	}
}

func visitVolume(pod string, v *corev1.Volume, fn func(resource, name string)) {
	switch {
	case v.Secret != nil:
		fn(secretRefs, v.Secret.SecretName)
	case v.ConfigMap != nil:
		fn(configMapRefs, v.ConfigMap.Name)
	case v.PersistentVolumeClaim != nil:
		fn(claimRefs, v.PersistentVolumeClaim.ClaimName)
	case v.Ephemeral != nil:
		fn(claimRefs, pod+"-"+v.Name)
	case v.AzureFile != nil:
		fn(secretRefs, v.AzureFile.SecretName)
	case v.Projected != nil:
		for _, s := range v.Projected.Sources {
			if s.Secret != nil {
				fn(secretRefs, s.Secret.Name)
			}
			if s.ConfigMap != nil {
				fn(configMapRefs, s.ConfigMap.Name)
			}
		}
	default:
		if secret := credentials(v); secret != nil {
			fn(secretRefs, secret.Name)
		}
	}
}

// credentials is the Secret with which a volume in the network is reached; nil when it names none.
func credentials(v *corev1.Volume) *corev1.LocalObjectReference {
	switch {
	case v.CSI != nil:
		return v.CSI.NodePublishSecretRef
	case v.CephFS != nil:
		return v.CephFS.SecretRef
	case v.Cinder != nil:
		return v.Cinder.SecretRef
	case v.FlexVolume != nil:
		return v.FlexVolume.SecretRef
	case v.RBD != nil:
		return v.RBD.SecretRef
	case v.ScaleIO != nil:
		return v.ScaleIO.SecretRef
	case v.ISCSI != nil:
		return v.ISCSI.SecretRef
	case v.StorageOS != nil:
		return v.StorageOS.SecretRef
	}
	return nil
}
