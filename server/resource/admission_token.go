package resource

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

const (
	tokenVolume = "kube-api-access-" // what the names of such volumes begin with
	tokenPath   = "/var/run/secrets/kubernetes.io/serviceaccount"
	rootCA      = "kube-root-ca.crt"
	// tokenSeconds is an hour and 7 seconds: by this time Kubernetes tells the tokens that nobody asked for.
	tokenSeconds = 3607
)

// wantsToken tells whether a pod is to have the token of its account: as it says itself, else as its account says.
func wantsToken(account *corev1.ServiceAccount, pod *corev1.Pod) bool {
	for _, says := range []*bool{pod.Spec.AutomountServiceAccountToken, account.AutomountServiceAccountToken} {
		if says != nil {
			return *says
		}
	}
	return true
}

// mountToken gives every container what it needs to speak to the API as the pod's account, where client libraries look
// for it. A container that mounts something else there keeps that.
func mountToken(pod *corev1.Pod) {
	name, have := tokenVolumeOf(pod)
	mount := corev1.VolumeMount{Name: name, ReadOnly: true, MountPath: tokenPath}
	needed := false
	for _, list := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range list {
			c := &list[i]
			if slices.ContainsFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return m.MountPath == tokenPath }) {
				continue
			}
			c.VolumeMounts = append(c.VolumeMounts, mount)
			needed = true
		}
	}
	if needed && !have {
		pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{Projected: tokenSource()}})
	}
}

// tokenVolumeOf is the volume's name: that of the one which the pod has already, or a new one.
func tokenVolumeOf(pod *corev1.Pod) (name string, have bool) {
	for _, v := range pod.Spec.Volumes {
		if strings.HasPrefix(v.Name, tokenVolume) {
			return v.Name, true
		}
	}
	return generateName(tokenVolume, func(string) bool { return true }), false
}

// tokenSource is a token, the certificate authority by which the API is known, and the pod's namespace.
func tokenSource() *corev1.ProjectedVolumeSource {
	mode, seconds := corev1.ProjectedVolumeSourceDefaultMode, int64(tokenSeconds)
	return &corev1.ProjectedVolumeSource{
		DefaultMode: &mode,
		Sources: []corev1.VolumeProjection{
			{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token", ExpirationSeconds: &seconds}},
			{ConfigMap: &corev1.ConfigMapProjection{
				LocalObjectReference: corev1.LocalObjectReference{Name: rootCA},
				Items:                []corev1.KeyToPath{{Key: "ca.crt", Path: "ca.crt"}},
			}},
			{DownwardAPI: &corev1.DownwardAPIProjection{Items: []corev1.DownwardAPIVolumeFile{
				{Path: "namespace", FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "metadata.namespace"}},
			}}},
		},
	}
}
