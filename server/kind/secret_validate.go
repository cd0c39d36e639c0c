package kind

import (
	"encoding/json"

	corev1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validateSecret(s *corev1.Secret) field.ErrorList {
	data := field.NewPath("data")
	errs := validateKeys(s.Data, data)
	if sizeOf(s.Data) > maxDataBytes {
		errs = append(errs, field.TooLong(data, "", maxDataBytes))
	}
	return append(errs, validateSecretType(s, data)...)
}

// validateSecretType checks that a secret of a known type has what its users look for.
func validateSecretType(s *corev1.Secret, data *field.Path) field.ErrorList {
	switch s.Type {
	case corev1.SecretTypeServiceAccountToken:
		if s.Annotations[corev1.ServiceAccountNameKey] == "" {
			return field.ErrorList{field.Required(field.NewPath("metadata", "annotations").Key(corev1.ServiceAccountNameKey), "")}
		}
	case corev1.SecretTypeDockercfg:
		return jsonKey(s, corev1.DockerConfigKey, data)
	case corev1.SecretTypeDockerConfigJson:
		return jsonKey(s, corev1.DockerConfigJsonKey, data)
	case corev1.SecretTypeBasicAuth:
		_, name := s.Data[corev1.BasicAuthUsernameKey]
		_, password := s.Data[corev1.BasicAuthPasswordKey]
		if !name && !password {
			return append(requiredKey(s, corev1.BasicAuthUsernameKey, data), requiredKey(s, corev1.BasicAuthPasswordKey, data)...)
		}
	case corev1.SecretTypeSSHAuth:
		if len(s.Data[corev1.SSHAuthPrivateKey]) == 0 {
			return field.ErrorList{field.Required(data.Key(corev1.SSHAuthPrivateKey), "")}
		}
	case corev1.SecretTypeTLS:
		return append(requiredKey(s, corev1.TLSCertKey, data), requiredKey(s, corev1.TLSPrivateKeyKey, data)...)
	}
	return nil
}

func requiredKey(s *corev1.Secret, key string, data *field.Path) field.ErrorList {
	if _, ok := s.Data[key]; !ok {
		return field.ErrorList{field.Required(data.Key(key), "")}
	}
	return nil
}

func jsonKey(s *corev1.Secret, key string, data *field.Path) field.ErrorList {
	value, ok := s.Data[key]
	if !ok {
		return field.ErrorList{field.Required(data.Key(key), "")}
	}
	if err := json.Unmarshal(value, &map[string]any{}); err != nil {
		return field.ErrorList{field.Invalid(data.Key(key), "<secret contents redacted>", err.Error())}
	}
	return nil
}

func validateSecretUpdate(updated, old *corev1.Secret) field.ErrorList {
	errs := apivalidation.ValidateImmutableField(updated.Type, old.Type, field.NewPath("type"))
	return append(errs, validateFrozen(updated.Immutable, old.Immutable, frozen{"data", updated.Data, old.Data})...)
}
