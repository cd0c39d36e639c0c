package kind

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// persistentSource is one place where a volume may be: its field, where the causes of its check are, and the check.
type persistentSource struct {
	name, at string
	check    func(*field.Path) field.ErrorList // nil: the volume is not there
}

// heldBy makes the entry of one source.
func heldBy[T any](name, at string, source *T, check func(*T, *field.Path) field.ErrorList) persistentSource {
	if source == nil {
		return persistentSource{name: name}
	}
	return persistentSource{name, at, func(path *field.Path) field.ErrorList { return check(source, path) }}
}

// persistentSources are all the places, in the order in which one of several counts.
func persistentSources(s *corev1.PersistentVolumeSource, volume string) []persistentSource {
	iscsi := func(v *corev1.ISCSIPersistentVolumeSource, at *field.Path) field.ErrorList {
		return validatePersistentISCSI(v, volume, at)
	}
	return []persistentSource{
		heldBy("hostPath", "hostPath", s.HostPath, validatePersistentHostPath),
		heldBy("gcePersistentDisk", "persistentDisk", s.GCEPersistentDisk, validateGCEDisk),
		heldBy("awsElasticBlockStore", "awsElasticBlockStore", s.AWSElasticBlockStore, validateElasticBlockStore),
		heldBy("glusterfs", "glusterfs", s.Glusterfs, validatePersistentGluster),
		heldBy("flocker", "flocker", s.Flocker, validateFlocker),
		heldBy("nfs", "nfs", s.NFS, validateNFS),
		heldBy("rbd", "rbd", s.RBD, func(v *corev1.RBDPersistentVolumeSource, at *field.Path) field.ErrorList {
			return validateRBD(v.CephMonitors, v.RBDImage, at)
		}),
		heldBy("quobyte", "quobyte", s.Quobyte, validateQuobyte),
		heldBy("cephFS", "cephfs", s.CephFS, func(v *corev1.CephFSPersistentVolumeSource, at *field.Path) field.ErrorList {
			return validateMonitors(v.Monitors, at)
		}),
		heldBy("iscsi", "iscsi", s.ISCSI, iscsi),
		heldBy("cinder", "cinder", s.Cinder, validatePersistentCinder),
		heldBy("fc", "fc", s.FC, validateFibreChannel),
		heldBy("flexVolume", "flexVolume", s.FlexVolume, func(v *corev1.FlexPersistentVolumeSource, at *field.Path) field.ErrorList {
			return validateFlex(v.Driver, v.Options, at)
		}),
		heldBy("azureFile", "azureFile", s.AzureFile, validatePersistentAzureFile),
		heldBy("vsphereVolume", "vsphereVolume", s.VsphereVolume, validateVsphere),
		heldBy("photonPersistentDisk", "photonPersistentDisk", s.PhotonPersistentDisk, validatePhoton),
		heldBy("portworxVolume", "portworxVolume", s.PortworxVolume, validatePortworx),
		heldBy("azureDisk", "azureDisk", s.AzureDisk, validateAzureDisk),
		heldBy("scaleIO", "scaleIO", s.ScaleIO, func(v *corev1.ScaleIOPersistentVolumeSource, at *field.Path) field.ErrorList {
			return validateScaleIO(v.Gateway, v.System, v.VolumeName, at)
		}),
		heldBy("local", "local", s.Local, validateLocal),
		heldBy("storageos", "storageos", s.StorageOS, validatePersistentStorageOS),
		heldBy("csi", "csi", s.CSI, validatePersistentCSI),
	}
}

// validatePersistentSource checks the place that is given, and that it is the only one.
func validatePersistentSource(s *corev1.PersistentVolumeSource, volume string, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	found := false
	for _, source := range persistentSources(s, volume) {
		switch {
		case source.check == nil:
		case found && source.name != "flexVolume":
			errs = append(errs, field.Forbidden(path.Child(source.name), "may not specify more than 1 volume type"))
		default:
			found = true
			errs = append(errs, source.check(path.Child(source.at))...)
		}
	}
	if !found {
		errs = append(errs, field.Required(path, "must specify a volume type"))
	}
	return errs
}

// validateMountOptions checks that options in an annotation are for what is mounted with options.
func validateMountOptions(pv *corev1.PersistentVolume) field.ErrorList {
	s := &pv.Spec.PersistentVolumeSource
	mounted := s.GCEPersistentDisk != nil || s.AWSElasticBlockStore != nil || s.Glusterfs != nil || s.NFS != nil ||
		s.RBD != nil || s.Quobyte != nil || s.ISCSI != nil || s.Cinder != nil || s.CephFS != nil || s.AzureFile != nil ||
		s.VsphereVolume != nil || s.AzureDisk != nil || s.PhotonPersistentDisk != nil
	if _, given := pv.Annotations[corev1.MountOptionAnnotation]; !given || mounted {
		return nil
	}
	return field.ErrorList{field.Forbidden(field.NewPath("metadata", "annotations", corev1.MountOptionAnnotation),
		"may not specify mount options for this volume type")}
}
