package kind

import corev1 "k8s.io/api/core/v1"

// defaultVolume makes a volume with no source an empty directory, and fills in the sources that leave things open.
func defaultVolume(v *corev1.VolumeSource) {
	if *v == (corev1.VolumeSource{}) {
		v.EmptyDir = &corev1.EmptyDirVolumeSource{}
	}
	if v.HostPath != nil {
		setDefault(&v.HostPath.Type, corev1.HostPathUnset)
	}
	if v.Secret != nil {
		setDefault(&v.Secret.DefaultMode, corev1.SecretVolumeSourceDefaultMode)
	}
	if v.ConfigMap != nil {
		setDefault(&v.ConfigMap.DefaultMode, corev1.ConfigMapVolumeSourceDefaultMode)
	}
	if v.DownwardAPI != nil {
		setDefault(&v.DownwardAPI.DefaultMode, corev1.DownwardAPIVolumeSourceDefaultMode)
		defaultDownward(v.DownwardAPI.Items)
	}
	if v.Projected != nil {
		defaultProjected(v.Projected)
	}
	if v.Image != nil {
		setDefaultText(&v.Image.PullPolicy, defaultPullPolicy(v.Image.Reference))
	}
	if v.Ephemeral != nil && v.Ephemeral.VolumeClaimTemplate != nil {
		defaultClaimSpec(&v.Ephemeral.VolumeClaimTemplate.Spec)
	}
	defaultNetworkVolume(v)
}

func defaultProjected(p *corev1.ProjectedVolumeSource) {
	setDefault(&p.DefaultMode, corev1.ProjectedVolumeSourceDefaultMode)
	for i := range p.Sources {
		if d := p.Sources[i].DownwardAPI; d != nil {
			defaultDownward(d.Items)
		}
		if t := p.Sources[i].ServiceAccountToken; t != nil {
			setDefault(&t.ExpirationSeconds, 60*60)
		}
	}
}

func defaultDownward(items []corev1.DownwardAPIVolumeFile) {
	for i := range items {
		defaultFieldRef(items[i].FieldRef)
	}
}

func defaultNetworkVolume(v *corev1.VolumeSource) {
	if v.ISCSI != nil {
		setDefaultText(&v.ISCSI.ISCSIInterface, "default")
	}
	if v.RBD != nil {
		setDefaultText(&v.RBD.RBDPool, "rbd")
		setDefaultText(&v.RBD.RadosUser, "admin")
		setDefaultText(&v.RBD.Keyring, "/etc/ceph/keyring")
	}
	if v.ScaleIO != nil {
		setDefaultText(&v.ScaleIO.StorageMode, "ThinProvisioned")
		setDefaultText(&v.ScaleIO.FSType, "xfs")
	}
	if v.AzureDisk != nil {
		defaultAzureDisk(v.AzureDisk)
	}
}

func defaultAzureDisk(v *corev1.AzureDiskVolumeSource) {
	setDefault(&v.CachingMode, corev1.AzureDataDiskCachingReadWrite)
	setDefault(&v.Kind, corev1.AzureSharedBlobDisk)
	setDefault(&v.FSType, "ext4")
	setDefault(&v.ReadOnly, false)
}
