package kind

import (
	"strings"

	certificatesv1 "k8s.io/api/certificates/v1"
	certificatesv1alpha1 "k8s.io/api/certificates/v1alpha1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ClusterTrustBundle is a set of certificates that pods may trust, of a signer or of nobody in particular.
var ClusterTrustBundle = &Kind{
	GroupVersionKind: certificatesv1.SchemeGroupVersion.WithKind("ClusterTrustBundle"),
	Resource:         "clustertrustbundles",
	Singular:         "clustertrustbundle",
	New:              makes[certificatesv1.ClusterTrustBundle](),
	NewList:          makes[certificatesv1.ClusterTrustBundleList](),

	ValidateName: bundleName,

	Validate:       validates(validateClusterTrustBundle),
	ValidateUpdate: validatesOver(validateClusterTrustBundleUpdate),

	Fields:      valuesOf(clusterTrustBundleFields),
	FieldLabels: labelsOf(clusterTrustBundleFields),
	Columns: []metav1.TableColumnDefinition{
		nameColumn,
		column("SignerName", "string", certificatesv1alpha1.ClusterTrustBundleSpec{}.SwaggerDoc()["signerName"]),
	},
	Row: prints(func(b *certificatesv1.ClusterTrustBundle) []any { return []any{b.Name, or(b.Spec.SignerName, none)} }),
}

var clusterTrustBundleFields = []selectable[*certificatesv1.ClusterTrustBundle]{
	{"spec.signerName", func(b *certificatesv1.ClusterTrustBundle) string { return b.Spec.SignerName }},
}

// bundleName checks what can be seen of a name alone: what comes after its signer's. Whose it must be,
// validateClusterTrustBundle looks at.
func bundleName(name string, prefix bool) []string {
	return apivalidation.NameIsDNSSubdomain(name[strings.LastIndex(name, ":")+1:], prefix)
}
