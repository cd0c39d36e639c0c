package kind

import (
	"path"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// checkOfNetwork returns the check of a pod's source on another machine, nil for other sources.
func checkOfNetwork(source any) func(*field.Path) field.ErrorList {
	switch v := source.(type) {
	case *corev1.GCEPersistentDiskVolumeSource:
		return checking(v, validateGCEDisk)
	case *corev1.AWSElasticBlockStoreVolumeSource:
		return checking(v, validateElasticBlockStore)
	case *corev1.GitRepoVolumeSource:
		return checking(v, validateGitRepo)
	case *corev1.GlusterfsVolumeSource:
		return func(at *field.Path) field.ErrorList { return validateGluster(v.EndpointsName, v.Path, at) }
	case *corev1.FlockerVolumeSource:
		return checking(v, validateFlocker)
	case *corev1.RBDVolumeSource:
		return func(at *field.Path) field.ErrorList { return validateRBD(v.CephMonitors, v.RBDImage, at) }
	case *corev1.QuobyteVolumeSource:
		return checking(v, validateQuobyte)
	case *corev1.CephFSVolumeSource:
		return func(at *field.Path) field.ErrorList { return validateMonitors(v.Monitors, at) }
	case *corev1.ISCSIVolumeSource:
		return checking(v, validateISCSI)
	case *corev1.CinderVolumeSource:
		return func(at *field.Path) field.ErrorList {
			return append(required(at.Child("volumeID"), v.VolumeID), secretHere(v.SecretRef, at)...)
		}
	case *corev1.FCVolumeSource:
		return checking(v, validateFibreChannel)
	case *corev1.FlexVolumeSource:
		return func(at *field.Path) field.ErrorList { return validateFlex(v.Driver, v.Options, at) }
	case *corev1.AzureFileVolumeSource:
		return func(at *field.Path) field.ErrorList { return validateAzureShare(v.SecretName, v.ShareName, at) }
	case *corev1.VsphereVirtualDiskVolumeSource:
		return checking(v, validateVsphere)
	case *corev1.PhotonPersistentDiskVolumeSource:
		return checking(v, validatePhoton)
	case *corev1.PortworxVolumeSource:
		return checking(v, validatePortworx)
	case *corev1.AzureDiskVolumeSource:
		return checking(v, validateAzureDisk)
	case *corev1.ScaleIOVolumeSource:
		return func(at *field.Path) field.ErrorList { return validateScaleIO(v.Gateway, v.System, v.VolumeName, at) }
	case *corev1.StorageOSVolumeSource:
		return func(at *field.Path) field.ErrorList {
			return append(validateStorageOSVolume(v.VolumeName, v.VolumeNamespace, at), secretHere(v.SecretRef, at)...)
		}
	case *corev1.CSIVolumeSource:
		return checking(v, validateCSI)
	}
	return nil
}

func checking[T any](source T, check func(T, *field.Path) field.ErrorList) func(*field.Path) field.ErrorList {
	return func(at *field.Path) field.ErrorList { return check(source, at) }
}

// secretHere checks a reference to a Secret of the pod's own namespace that may be missing.
func secretHere(ref *corev1.LocalObjectReference, at *field.Path) field.ErrorList {
	if ref == nil {
		return nil
	}
	return required(at.Child("secretRef", "name"), ref.Name)
}

func validateGitRepo(v *corev1.GitRepoVolumeSource, at *field.Path) field.ErrorList {
	errs := required(at.Child("repository"), v.Repository)
	if path.IsAbs(v.Directory) {
		errs = append(errs, field.Invalid(at.Child("directory"), v.Directory, "must be a relative path"))
	}
	return append(errs, noBacksteps(v.Directory, at.Child("directory"))...)
}

func validateISCSI(v *corev1.ISCSIVolumeSource, at *field.Path) field.ErrorList {
	names := iscsiNames{"must be valid format starting with iqn, eui, or naa"}
	errs := required(at.Child("targetPortal"), v.TargetPortal)
	errs = append(errs, names.target(v.IQN, at.Child("iqn"))...)
	errs = append(errs, lun(v.Lun, at)...)
	if (v.DiscoveryCHAPAuth || v.SessionCHAPAuth) && v.SecretRef == nil {
		errs = append(errs, field.Required(at.Child("secretRef"), ""))
	}
	return append(errs, names.initiator(v.InitiatorName, at)...)
}

func validateCSI(v *corev1.CSIVolumeSource, at *field.Path) field.ErrorList {
	errs := validateDriverName(v.Driver, at.Child("driver"))
	switch ref := v.NodePublishSecretRef; {
	case ref == nil:
		return errs
	case ref.Name == "":
		return append(errs, required(at.Child("nodePublishSecretRef", "name"), ref.Name)...)
	default:
		return append(errs, invalid(at.Child("name"), ref.Name, validation.IsDNS1123Subdomain(ref.Name))...)
	}
}
