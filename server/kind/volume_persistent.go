package kind

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// The checks of the sources that only persistent volumes have, or that ask more of them than of a pod's volumes.

func validatePersistentHostPath(v *corev1.HostPathVolumeSource, at *field.Path) field.ErrorList {
	if v.Path == "" {
		return required(at.Child("path"), v.Path)
	}
	return validateHostPath(v, at)
}

func validateLocal(v *corev1.LocalVolumeSource, at *field.Path) field.ErrorList {
	if v.Path == "" {
		return required(at.Child("path"), v.Path)
	}
	return noBacksteps(v.Path, at.Child("path"))
}

func validatePersistentCSI(v *corev1.CSIPersistentVolumeSource, at *field.Path) field.ErrorList {
	errs := validateDriverName(v.Driver, at.Child("driver"))
	errs = append(errs, required(at.Child("volumeHandle"), v.VolumeHandle)...)
	for _, secret := range []struct {
		field string
		ref   *corev1.SecretReference
	}{
		{"controllerPublishSecretRef", v.ControllerPublishSecretRef},
		{"controllerExpandSecretRef", v.ControllerExpandSecretRef},
		{"nodePublishSecretRef", v.NodePublishSecretRef},
		{"nodeExpandSecretRef", v.NodeExpandSecretRef},
	} {
		if secret.ref != nil {
			at := at.Child(secret.field)
			errs = append(errs, named(at.Child("name"), secret.ref.Name, validation.IsDNS1123Subdomain)...)
			errs = append(errs, named(at.Child("namespace"), secret.ref.Namespace, validation.IsDNS1123Label)...)
		}
	}
	return errs
}

// maxDriverName is how long the name of a CSI driver may be.
const maxDriverName = 63

func validateDriverName(name string, at *field.Path) field.ErrorList {
	if name == "" {
		return required(at, name)
	}
	var errs field.ErrorList
	if len(name) > maxDriverName {
		errs = append(errs, field.TooLong(at, "", maxDriverName))
	}
	return append(errs, invalid(at, name, validation.IsDNS1123Subdomain(strings.ToLower(name)))...)
}

func validatePersistentGluster(v *corev1.GlusterfsPersistentVolumeSource, at *field.Path) field.ErrorList {
	errs := validateGluster(v.EndpointsName, v.Path, at)
	namespace, at := v.EndpointsNamespace, at.Child("endpointsNamespace")
	switch {
	case namespace == nil:
		return errs
	case *namespace == "":
		return append(errs, field.Invalid(at, *namespace, "if the endpointnamespace is set, it must be a valid namespace name"))
	}
	return append(errs, invalid(at, *namespace, apivalidation.ValidateNamespaceName(*namespace, false))...)
}

func validatePersistentCinder(v *corev1.CinderPersistentVolumeSource, at *field.Path) field.ErrorList {
	return append(required(at.Child("volumeID"), v.VolumeID), secretOfBoth(v.SecretRef, at.Child("secretRef"))...)
}

// secretOfBoth checks a reference that may be missing, but must have a name and a namespace.
func secretOfBoth(ref *corev1.SecretReference, at *field.Path) field.ErrorList {
	if ref == nil {
		return nil
	}
	return append(required(at.Child("name"), ref.Name), required(at.Child("namespace"), ref.Namespace)...)
}

func validatePersistentAzureFile(v *corev1.AzureFilePersistentVolumeSource, at *field.Path) field.ErrorList {
	errs := validateAzureShare(v.SecretName, v.ShareName, at)
	if v.SecretNamespace != nil {
		errs = append(errs, required(at.Child("secretNamespace"), *v.SecretNamespace)...)
	}
	return errs
}

func validatePersistentStorageOS(v *corev1.StorageOSPersistentVolumeSource, at *field.Path) field.ErrorList {
	errs := validateStorageOSVolume(v.VolumeName, v.VolumeNamespace, at)
	if ref := v.SecretRef; ref != nil {
		errs = append(errs, required(at.Child("secretRef", "name"), ref.Name)...)
		errs = append(errs, required(at.Child("secretRef", "namespace"), ref.Namespace)...)
	}
	return errs
}

// maxInitiator is how long a volume's name and its portal may be together where the initiator has a name of its own.
const maxInitiator = 64

func validatePersistentISCSI(v *corev1.ISCSIPersistentVolumeSource, volume string, at *field.Path) field.ErrorList {
	errs := required(at.Child("targetPortal"), v.TargetPortal)
	if v.InitiatorName != nil && len(volume+":"+v.TargetPortal) > maxInitiator {
		errs = append(errs, field.Invalid(at.Child("targetportal"), v.TargetPortal,
			"Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified."))
	}
	errs = append(errs, iscsiNames{"must be valid format"}.target(v.IQN, at.Child("iqn"))...)
	errs = append(errs, lun(v.Lun, at)...)
	if (v.DiscoveryCHAPAuth || v.SessionCHAPAuth) && v.SecretRef == nil {
		errs = append(errs, field.Required(at.Child("secretRef"), ""))
	}
	if v.SecretRef != nil {
		errs = append(errs, required(at.Child("secretRef", "name"), v.SecretRef.Name)...)
	}
	return append(errs, iscsiNames{"must be valid format"}.initiator(v.InitiatorName, at)...)
}
