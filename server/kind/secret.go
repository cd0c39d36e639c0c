package kind

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Secret holds what only the pods that name it should read.
var Secret = &Kind{
	GroupVersionKind: core("Secret"),
	Resource:         "secrets",
	Singular:         "secret",
	Namespaced:       true,
	New:              makes[corev1.Secret](),
	NewList:          makes[corev1.SecretList](),

	Default:       changes(defaultSecret),
	PrepareUpdate: changesOver(updateSecret),

	Validate:       validates(validateSecret),
	ValidateUpdate: validatesOver(validateSecretUpdate),

	Fields:      valuesOf(secretFields),
	FieldLabels: labelsOf(secretFields),
	Columns: []metav1.TableColumnDefinition{
		nameColumn,
		column("Type", "string", corev1.Secret{}.SwaggerDoc()["type"]),
		column("Data", "string", corev1.Secret{}.SwaggerDoc()["data"]),
		ageColumn,
	},
	Row: prints(func(s *corev1.Secret) []any {
		return []any{s.Name, string(s.Type), int64(len(s.Data)), age(s)}
	}),
}

var secretFields = []selectable[*corev1.Secret]{
	{"type", func(s *corev1.Secret) string { return string(s.Type) }},
}

// defaultSecret encodes what was written as text, which is never stored or read back, and fills in the type.
func defaultSecret(s *corev1.Secret) {
	for key, text := range s.StringData {
		if s.Data == nil {
			s.Data = map[string][]byte{}
		}
		s.Data[key] = []byte(text)
	}
	s.StringData = nil
	if s.Type == "" {
		s.Type = corev1.SecretTypeOpaque
	}
}

// updateSecret keeps the type where the request gives none.
func updateSecret(updated, old *corev1.Secret) {
	if updated.Type == "" {
		updated.Type = old.Type
	}
}
