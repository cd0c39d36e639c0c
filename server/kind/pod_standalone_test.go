package kind

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestPodNeeds(t *testing.T) {
	volume := func(s corev1.VolumeSource) func(*corev1.PodSpec) {
		return func(p *corev1.PodSpec) { p.Volumes = []corev1.Volume{{Name: "v", VolumeSource: s}} }
	}
	projected := func(p corev1.VolumeProjection) func(*corev1.PodSpec) {
		return volume(corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{p}}})
	}
	secret := corev1.LocalObjectReference{Name: "s"}
	for want, changes := range map[string][]func(*corev1.PodSpec){
		"": {
			func(*corev1.PodSpec) {},
			volume(corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}}),
			volume(corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}),
			projected(corev1.VolumeProjection{DownwardAPI: &corev1.DownwardAPIProjection{}}),
		},
		"serviceaccounts":                         {func(p *corev1.PodSpec) { p.ServiceAccountName = "a" }},
		"serviceaccounts (via projected volumes)": {projected(corev1.VolumeProjection{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{}})},
		"secrets": {
			func(p *corev1.PodSpec) { p.ImagePullSecrets = []corev1.LocalObjectReference{secret} },
			func(p *corev1.PodSpec) {
				p.InitContainers = []corev1.Container{{EnvFrom: []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: secret}}}}}
			},
			volume(corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "s"}}),
			volume(corev1.VolumeSource{RBD: &corev1.RBDVolumeSource{SecretRef: &secret}}),
			volume(corev1.VolumeSource{AzureFile: &corev1.AzureFileVolumeSource{SecretName: "s"}}),
		},
		"configmaps":                   {volume(corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: secret}})},
		"resourceclaims":               {func(p *corev1.PodSpec) { p.ResourceClaims = []corev1.PodResourceClaim{{Name: "r"}} }},
		"persistentvolumeclaims":       {volume(corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "c"}})},
		"clustertrustbundles":          {projected(corev1.VolumeProjection{ClusterTrustBundle: &corev1.ClusterTrustBundleProjection{}})},
		"podcertificates":              {projected(corev1.VolumeProjection{PodCertificate: &corev1.PodCertificateProjection{}})},
		"csidrivers (via CSI volumes)": {volume(corev1.VolumeSource{CSI: &corev1.CSIVolumeSource{}})},
	} {
		for i, change := range changes {
			p := &corev1.Pod{}
			change(&p.Spec)
			if got := PodNeeds(p); got != want {
				t.Errorf("%d of %q needs %q", i, want, got)
			}
		}
	}
}
