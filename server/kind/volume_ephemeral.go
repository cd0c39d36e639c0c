package kind

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// EphemeralClaim is the name of the claim that is made for a pod's ephemeral volume.
func EphemeralClaim(pod, volume string) string { return pod + "-" + volume }

func validateEphemeralVolume(v *corev1.EphemeralVolumeSource, at *field.Path) field.ErrorList {
	at = at.Child("volumeClaimTemplate")
	if v.VolumeClaimTemplate == nil {
		return field.ErrorList{field.Required(at, "")}
	}
	return validateClaimTemplate(v.VolumeClaimTemplate, at)
}

// validateEphemeralClaims checks the names of the claims that a pod's ephemeral volumes get, and that no other volume
// of the pod uses one.
func validateEphemeralClaims(pod string, volumes []corev1.Volume, path *field.Path) field.ErrorList {
	if pod == "" {
		return nil
	}
	var errs field.ErrorList
	made := map[string]bool{}
	for i, v := range volumes {
		if v.Ephemeral == nil || v.Name == "" {
			continue
		}
		claim := EphemeralClaim(pod, v.Name)
		made[claim] = true
		for _, problem := range validation.IsDNS1123Subdomain(claim) {
			errs = append(errs, field.Invalid(path.Index(i).Child("name"), v.Name, fmt.Sprintf("PVC name %q: %v", claim, problem)))
		}
	}
	for i, v := range volumes {
		if c := v.PersistentVolumeClaim; c != nil && made[c.ClaimName] {
			errs = append(errs, field.Invalid(path.Index(i).Child("persistentVolumeClaim", "claimName"), c.ClaimName,
				"must not reference a PVC that gets created for an ephemeral volume"))
		}
	}
	return errs
}
