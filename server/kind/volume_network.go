package kind

import (
	"maps"
	"net"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// The checks of sources on other machines, which volumes of pods and persistent ones share.

func validateGCEDisk(v *corev1.GCEPersistentDiskVolumeSource, at *field.Path) field.ErrorList {
	return append(required(at.Child("pdName"), v.PDName), diskPartition(v.Partition, at)...)
}

func validateElasticBlockStore(v *corev1.AWSElasticBlockStoreVolumeSource, at *field.Path) field.ErrorList {
	return append(required(at.Child("volumeID"), v.VolumeID), diskPartition(v.Partition, at)...)
}

func diskPartition(number int32, at *field.Path) field.ErrorList {
	if number >= 0 && number <= 255 {
		return nil
	}
	return field.ErrorList{field.Invalid(at.Child("partition"), number, validation.InclusiveRangeError(1, 255))}
}

func validateGluster(endpoints, path string, at *field.Path) field.ErrorList {
	return append(required(at.Child("endpoints"), endpoints), required(at.Child("path"), path)...)
}

func validateFlocker(v *corev1.FlockerVolumeSource, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	if v.DatasetName == "" && v.DatasetUUID == "" {
		errs = append(errs, field.Required(at, "one of datasetName and datasetUUID is required"))
	}
	if v.DatasetName != "" && v.DatasetUUID != "" {
		errs = append(errs, field.Invalid(at, "resource", "datasetName and datasetUUID can not be specified simultaneously"))
	}
	if strings.Contains(v.DatasetName, "/") {
		errs = append(errs, field.Invalid(at.Child("datasetName"), v.DatasetName, "must not contain '/'"))
	}
	return errs
}

func validateRBD(monitors []string, image string, at *field.Path) field.ErrorList {
	return append(validateMonitors(monitors, at), required(at.Child("image"), image)...)
}

func validateMonitors(monitors []string, at *field.Path) field.ErrorList {
	if len(monitors) > 0 {
		return nil
	}
	return field.ErrorList{field.Required(at.Child("monitors"), "")}
}

func validateQuobyte(v *corev1.QuobyteVolumeSource, at *field.Path) field.ErrorList {
	const pairs = "must be a host:port pair or multiple pairs separated by commas"
	var errs field.ErrorList
	switch {
	case v.Registry == "":
		errs = append(errs, field.Required(at.Child("registry"), pairs))
	case len(v.Tenant) > 64:
		errs = append(errs, field.Required(at.Child("tenant"), "must be a UUID and may not exceed a length of 64 characters"))
	default:
		for pair := range strings.SplitSeq(v.Registry, ",") {
			if _, _, err := net.SplitHostPort(pair); err != nil {
				errs = append(errs, field.Invalid(at.Child("registry"), v.Registry, pairs))
			}
		}
	}
	return append(errs, required(at.Child("volume"), v.Volume)...)
}

func validateFibreChannel(v *corev1.FCVolumeSource, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	names := at.Child("targetWWNs")
	if len(v.TargetWWNs)+len(v.WWIDs) == 0 {
		errs = append(errs, field.Required(names, "must specify either targetWWNs or wwids, but not both"))
	}
	if len(v.TargetWWNs) > 0 && len(v.WWIDs) > 0 {
		errs = append(errs, field.Invalid(names, v.TargetWWNs, "targetWWNs and wwids can not be specified simultaneously"))
	}
	switch {
	case len(v.TargetWWNs) == 0:
		return errs
	case v.Lun == nil:
		return append(errs, field.Required(at.Child("lun"), "lun is required if targetWWNs is specified"))
	}
	return append(errs, lun(*v.Lun, at)...)
}

func lun(number int32, at *field.Path) field.ErrorList {
	if number >= 0 && number <= 255 {
		return nil
	}
	return field.ErrorList{field.Invalid(at.Child("lun"), number, validation.InclusiveRangeError(0, 255))}
}

// validateFlex checks that options are the driver's, and not Kubernetes' own.
func validateFlex(driver string, options map[string]string, at *field.Path) field.ErrorList {
	errs := required(at.Child("driver"), driver)
	for _, key := range slices.Sorted(maps.Keys(options)) {
		domain, _, _ := strings.Cut(key, "/")
		domain = "." + strings.ToLower(domain)
		if strings.HasSuffix(domain, ".kubernetes.io") || strings.HasSuffix(domain, ".k8s.io") {
			errs = append(errs, field.Invalid(at.Child("options").Key(key), key, "kubernetes.io and k8s.io namespaces are reserved"))
		}
	}
	return errs
}

func validateAzureShare(secret, share string, at *field.Path) field.ErrorList {
	return append(required(at.Child("secretName"), secret), required(at.Child("shareName"), share)...)
}

func validateAzureDisk(v *corev1.AzureDiskVolumeSource, at *field.Path) field.ErrorList {
	errs := required(at.Child("diskName"), v.DiskName)
	errs = append(errs, required(at.Child("diskURI"), v.DataDiskURI)...)
	errs = append(errs, maybeOneOf(at.Child("cachingMode"), v.CachingMode,
		corev1.AzureDataDiskCachingNone, corev1.AzureDataDiskCachingReadOnly, corev1.AzureDataDiskCachingReadWrite)...)
	errs = append(errs, maybeOneOf(at.Child("kind"), v.Kind,
		corev1.AzureDedicatedBlobDisk, corev1.AzureManagedDisk, corev1.AzureSharedBlobDisk)...)
	if v.Kind == nil {
		return errs
	}
	start, form := "https://", "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"
	if *v.Kind == corev1.AzureManagedDisk {
		start, form = "/subscriptions/", "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"
	}
	if !strings.HasPrefix(v.DataDiskURI, start) {
		errs = append(errs, field.NotSupported(at.Child("diskURI"), v.DataDiskURI, []string{form}))
	}
	return errs
}

func validateVsphere(v *corev1.VsphereVirtualDiskVolumeSource, at *field.Path) field.ErrorList {
	return required(at.Child("volumePath"), v.VolumePath)
}

func validatePhoton(v *corev1.PhotonPersistentDiskVolumeSource, at *field.Path) field.ErrorList {
	return required(at.Child("pdID"), v.PdID)
}

func validatePortworx(v *corev1.PortworxVolumeSource, at *field.Path) field.ErrorList {
	return required(at.Child("volumeID"), v.VolumeID)
}

func validateScaleIO(gateway, system, volume string, at *field.Path) field.ErrorList {
	errs := required(at.Child("gateway"), gateway)
	errs = append(errs, required(at.Child("system"), system)...)
	return append(errs, required(at.Child("volumeName"), volume)...)
}

func validateStorageOSVolume(name, namespace string, at *field.Path) field.ErrorList {
	errs := named(at.Child("volumeName"), name, validation.IsDNS1123Label)
	return append(errs, maybeNamed(at.Child("volumeNamespace"), namespace, validation.IsDNS1123Label)...)
}

// iscsiForms are the forms that a name of iSCSI may have, by how it starts.
var iscsiForms = map[string]*regexp.Regexp{
	"iqn": regexp.MustCompile(`iqn\.\d{4}-\d{2}\.([[:alnum:]-.]+)(:[^,;*&$|\s]+)$`),
	"eui": regexp.MustCompile(`^eui.[[:alnum:]]{16}$`),
	"naa": regexp.MustCompile(`^naa.[[:alnum:]]{32}$`),
}

// iscsiNames checks names of iSCSI; unknown is what to say of one that starts like none.
type iscsiNames struct{ unknown string }

func (n iscsiNames) target(name string, at *field.Path) field.ErrorList {
	if name == "" {
		return required(at, name)
	}
	return n.check(name, at)
}

func (n iscsiNames) initiator(name *string, at *field.Path) field.ErrorList {
	if name == nil {
		return nil
	}
	return n.check(*name, at.Child("initiatorname"))
}

func (n iscsiNames) check(name string, at *field.Path) field.ErrorList {
	form, known := iscsiForms[name[:min(3, len(name))]]
	switch {
	case !known:
		return field.ErrorList{field.Invalid(at, name, n.unknown)}
	case !form.MatchString(name):
		return field.ErrorList{field.Invalid(at, name, "must be valid format")}
	}
	return nil
}
