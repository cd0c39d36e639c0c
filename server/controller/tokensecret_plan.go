package controller

import (
	"bytes"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// tokenSecretPlan is what a Secret with a service account's token lacks, or that it has no account any more.
type tokenSecretPlan struct {
	remove               bool
	ca, namespace, token bool
}

// planTokenSecret compares a Secret with what it is to hold. account is nil when there is none of the name.
func planTokenSecret(secret *corev1.Secret, account *corev1.ServiceAccount, ca []byte) tokenSecretPlan {
	uid := types.UID(secret.Annotations[corev1.ServiceAccountUIDKey])
	if account == nil || uid != "" && uid != account.UID {
		return tokenSecretPlan{remove: secret.DeletionTimestamp == nil}
	}
	return tokenSecretPlan{
		ca:        len(ca) > 0 && !bytes.Equal(secret.Data[corev1.ServiceAccountRootCAKey], ca),
		namespace: len(secret.Data[corev1.ServiceAccountNamespaceKey]) == 0,
		token:     len(secret.Data[corev1.ServiceAccountTokenKey]) == 0,
	}
}

func (p tokenSecretPlan) fills() bool { return p.ca || p.namespace || p.token }

// String is the plan in words.
func (p tokenSecretPlan) String() string {
	var parts []string
	for _, part := range []struct {
		planned bool
		text    string
	}{{p.remove, "remove"}, {p.ca, "set the CA"}, {p.namespace, "set the namespace"}, {p.token, "sign a token"}} {
		if part.planned {
			parts = append(parts, part.text)
		}
	}
	return strings.Join(parts, "; ")
}
