package kind

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
)

// PrepareStandalone makes a pod that comes from a file what it would be had it been created through the API, or says why
// it would be refused.
func PrepareStandalone(p *corev1.Pod) error {
	Pod.Default(p)
	if errs := Pod.Validate(p); len(errs) > 0 {
		return errs.ToAggregate()
	}
	if what := PodNeeds(p); what != "" {
		return fmt.Errorf("static pods may not reference %s", what)
	}
	return nil
}

// PodNeeds is the resource of an object that a pod needs the API for; empty when it needs none. Only such pods may run
// from files, and be shown by agents.
func PodNeeds(p *corev1.Pod) string {
	named := map[string]bool{}
	PodReferences(p, func(resource, name string) { named[resource] = named[resource] || name != "" })
	for _, resource := range []string{accountRefs, secretRefs, configMapRefs} {
		if named[resource] {
			return resource
		}
	}
	if len(p.Spec.ResourceClaims) > 0 {
		return "resourceclaims"
	}
	for i := range p.Spec.Volumes {
		if what := volumeNeeds(&p.Spec.Volumes[i]); what != "" {
			return what
		}
	}
	return ""
}

// volumeNeeds is what a volume needs, however its object is called.
func volumeNeeds(v *corev1.Volume) string {
	switch {
	case v.ConfigMap != nil:
		return "configmaps (via configmap volumes)"
	case v.Secret != nil:
		return "secrets (via secret volumes)"
	case v.CSI != nil:
		return "csidrivers (via CSI volumes)"
	case v.Glusterfs != nil:
		return "endpoints (via glusterFS volumes)"
	case v.PersistentVolumeClaim != nil:
		return claimRefs
	case v.Ephemeral != nil:
		return "persistentvolumeclaims (via ephemeral volumes)"
	case v.AzureFile != nil:
		return "secrets (via azureFile volumes)"
	case v.Projected != nil:
		return projectionNeeds(v.Projected.Sources)
	}
	return ""
}

func projectionNeeds(sources []corev1.VolumeProjection) string {
	for i := range sources {
		switch p := &sources[i]; {
		case p.ConfigMap != nil:
			return "configmaps (via projected volumes)"
		case p.Secret != nil:
			return "secrets (via projected volumes)"
		case p.ServiceAccountToken != nil:
			return "serviceaccounts (via projected volumes)"
		case p.ClusterTrustBundle != nil:
			return "clustertrustbundles"
		case p.PodCertificate != nil:
			return "podcertificates"
		}
	}
	return ""
}
