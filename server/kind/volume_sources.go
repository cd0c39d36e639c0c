package kind

import (
	"reflect"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// volumeSource is a source that a volume gives, and the check of it, if it has one.
type volumeSource struct {
	name     string // as in JSON
	validate func(*field.Path) field.ErrorList
}

// sourcesOf returns the sources that a volume gives, in the order of the type: there should be one.
func sourcesOf(v *corev1.VolumeSource) []volumeSource {
	var given []volumeSource
	value := reflect.ValueOf(v).Elem()
	for i := range value.NumField() {
		if !value.Field(i).IsNil() {
			name, _, _ := strings.Cut(value.Type().Field(i).Tag.Get("json"), ",")
			given = append(given, volumeSource{name, checkOf(value.Field(i).Interface())})
		}
	}
	return given
}

// checkOf returns the check of a source, nil for those that have nothing to check.
func checkOf(source any) func(*field.Path) field.ErrorList {
	switch v := source.(type) {
	case *corev1.HostPathVolumeSource:
		return func(at *field.Path) field.ErrorList { return validateHostPath(v, at) }
	case *corev1.EmptyDirVolumeSource:
		return func(at *field.Path) field.ErrorList { return validateEmptyDir(v, at) }
	case *corev1.SecretVolumeSource:
		return func(at *field.Path) field.ErrorList {
			return append(required(at.Child("secretName"), v.SecretName), validateItems(v.Items, v.DefaultMode, at)...)
		}
	case *corev1.ConfigMapVolumeSource:
		return func(at *field.Path) field.ErrorList {
			return append(required(at.Child("name"), v.Name), validateItems(v.Items, v.DefaultMode, at)...)
		}
	case *corev1.DownwardAPIVolumeSource:
		return func(at *field.Path) field.ErrorList { return validateDownward(v.Items, v.DefaultMode, at) }
	case *corev1.ProjectedVolumeSource:
		return func(at *field.Path) field.ErrorList { return validateProjected(v, at) }
	case *corev1.PersistentVolumeClaimVolumeSource:
		return func(at *field.Path) field.ErrorList { return required(at.Child("claimName"), v.ClaimName) }
	case *corev1.NFSVolumeSource:
		return func(at *field.Path) field.ErrorList { return validateNFS(v, at) }
	case *corev1.EphemeralVolumeSource:
		return func(at *field.Path) field.ErrorList { return validateEphemeralVolume(v, at) }
	case *corev1.ImageVolumeSource:
		return func(at *field.Path) field.ErrorList { return validateImageVolume(v, at) }
	default:
		return checkOfNetwork(source)
	}
}

func validateNFS(v *corev1.NFSVolumeSource, at *field.Path) field.ErrorList {
	errs := required(at.Child("server"), v.Server)
	errs = append(errs, required(at.Child("path"), v.Path)...)
	if v.Path != "" && !strings.HasPrefix(v.Path, "/") {
		errs = append(errs, field.Invalid(at.Child("path"), v.Path, "must be an absolute path"))
	}
	return errs
}

func validateImageVolume(v *corev1.ImageVolumeSource, at *field.Path) field.ErrorList {
	errs := required(at.Child("reference"), v.Reference)
	return append(errs, maybeNamedPolicy(v.PullPolicy, at.Child("pullPolicy"))...)
}

func maybeNamedPolicy(policy corev1.PullPolicy, at *field.Path) field.ErrorList {
	if policy == "" {
		return nil
	}
	return oneOf(at, policy, corev1.PullAlways, corev1.PullIfNotPresent, corev1.PullNever)
}

// minTokenSeconds is the shortest life of a token that is projected into a volume.
const minTokenSeconds = 600

func validateProjected(v *corev1.ProjectedVolumeSource, at *field.Path) field.ErrorList {
	errs := fileMode(v.DefaultMode, at.Child("defaultMode"))
	taken := map[string]bool{}
	for i := range v.Sources {
		errs = append(errs, validateProjection(&v.Sources[i], at.Child("sources").Index(i))...)
		eachPath(&v.Sources[i], func(file, shown string) {
			if taken[file] {
				errs = append(errs, field.Invalid(at, shown, "conflicting duplicate paths"))
			}
			taken[file] = true
		})
	}
	return errs
}

// eachPath calls fn for the files that a source names, and with what a conflict over one shows.
func eachPath(p *corev1.VolumeProjection, fn func(file, shown string)) {
	switch {
	case p.Secret != nil:
		for _, item := range p.Secret.Items {
			fn(item.Path, p.Secret.Name)
		}
	case p.ConfigMap != nil:
		for _, item := range p.ConfigMap.Items {
			fn(item.Path, p.ConfigMap.Name)
		}
	case p.DownwardAPI != nil:
		for _, item := range p.DownwardAPI.Items {
			fn(item.Path, item.Path)
		}
	case p.ClusterTrustBundle != nil:
		fn(p.ClusterTrustBundle.Path, p.ClusterTrustBundle.Path)
	}
}

func validateProjection(p *corev1.VolumeProjection, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	var given []string
	if p.Secret != nil {
		given = append(given, "secret")
		errs = append(errs, named(at.Child("secret", "name"), p.Secret.Name, validation.IsDNS1123Subdomain)...)
		errs = append(errs, validateItems(p.Secret.Items, nil, at.Child("secret"))...)
	}
	if p.ConfigMap != nil {
		given = append(given, "configMap")
		errs = append(errs, named(at.Child("configMap", "name"), p.ConfigMap.Name, validation.IsDNS1123Subdomain)...)
		errs = append(errs, validateItems(p.ConfigMap.Items, nil, at.Child("configMap"))...)
	}
	if p.DownwardAPI != nil {
		given = append(given, "downwardAPI")
		errs = append(errs, validateDownward(p.DownwardAPI.Items, nil, at.Child("downwardAPI"))...)
	}
	if t := p.ServiceAccountToken; t != nil {
		given = append(given, "serviceAccountToken")
		if t.ExpirationSeconds != nil && *t.ExpirationSeconds < minTokenSeconds {
			errs = append(errs, field.Invalid(at.Child("serviceAccountToken", "expirationSeconds"), *t.ExpirationSeconds, "may not specify a duration less than 10 minutes"))
		}
		errs = append(errs, itemPath(t.Path, at.Child("serviceAccountToken", "path"))...)
	}
	if p.ClusterTrustBundle != nil {
		given = append(given, "clusterTrustBundle")
		errs = append(errs, validateBundleProjection(p.ClusterTrustBundle, at.Child("clusterTrustBundlePEM"))...)
	}
	if p.PodCertificate != nil {
		given = append(given, "podCertificate")
	}
	return append(errs, exactlyOne(at, "volume type", given)...)
}
