package kind

import (
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	certificatesv1beta1 "k8s.io/api/certificates/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
)

// CertificateSigningRequest asks a signer for a certificate, once somebody has approved it.
var CertificateSigningRequest = &Kind{
	GroupVersionKind: certificatesv1.SchemeGroupVersion.WithKind("CertificateSigningRequest"),
	Resource:         "certificatesigningrequests",
	Singular:         "certificatesigningrequest",
	ShortNames:       []string{"csr"},
	New:              makes[certificatesv1.CertificateSigningRequest](),
	NewList:          makes[certificatesv1.CertificateSigningRequestList](),

	PrepareCreate: changes(func(csr *certificatesv1.CertificateSigningRequest) {
		csr.Status = certificatesv1.CertificateSigningRequestStatus{}
	}),
	// A request is never changed but by those who approve and sign it.
	PrepareUpdate: changesOver(func(updated, old *certificatesv1.CertificateSigningRequest) {
		updated.Spec, updated.Status = old.Spec, old.Status
	}),
	PrepareStatus: changesOver(signing),
	HasStatus:     true,
	Subresources: []Subresource{part("approval", Subresource{
		Prepare: changesOver(approving), Validate: validatesOver(validateApproval), Owns: allBut("spec"),
	})},
	ValidateName: pathSegment,

	Validate:       validates(validateCertificateSigningRequest),
	ValidateStatus: validatesOver(validateSigning),

	Fields:      valuesOf(certificateSigningRequestFields),
	FieldLabels: labelsOf(certificateSigningRequestFields),
	Columns: []metav1.TableColumnDefinition{
		nameColumn,
		ageColumn,
		column("SignerName", "string", certificatesv1beta1.CertificateSigningRequestSpec{}.SwaggerDoc()["signerName"]),
		column("Requestor", "string", certificatesv1beta1.CertificateSigningRequestSpec{}.SwaggerDoc()["request"]),
		column("RequestedDuration", "string", certificatesv1beta1.CertificateSigningRequestSpec{}.SwaggerDoc()["expirationSeconds"]),
		column("Condition", "string", certificatesv1beta1.CertificateSigningRequestStatus{}.SwaggerDoc()["conditions"]),
	},
	Row: prints(certificateSigningRequestRow),
}

var certificateSigningRequestFields = []selectable[*certificatesv1.CertificateSigningRequest]{
	{"spec.signerName", func(csr *certificatesv1.CertificateSigningRequest) string { return csr.Spec.SignerName }},
}

func certificateSigningRequestRow(csr *certificatesv1.CertificateSigningRequest) []any {
	asked := none
	if s := csr.Spec.ExpirationSeconds; s != nil {
		asked = duration.HumanDuration(time.Duration(*s) * time.Second)
	}
	return []any{csr.Name, age(csr), or(csr.Spec.SignerName, none), csr.Spec.Username, asked, certificateState(&csr.Status)}
}

// certificateState says in words what has become of a request.
func certificateState(s *certificatesv1.CertificateSigningRequestStatus) string {
	state := "Pending"
	switch {
	case len(conditionsOf(s, certificatesv1.CertificateDenied)) > 0:
		state = "Denied"
	case len(conditionsOf(s, certificatesv1.CertificateApproved)) > 0:
		state = "Approved"
	}
	if len(conditionsOf(s, certificatesv1.CertificateFailed)) > 0 {
		state += ",Failed"
	}
	if len(s.Certificate) > 0 {
		state += ",Issued"
	}
	return state
}

// conditionsOf are a request's conditions of one type, to be changed in place.
func conditionsOf(s *certificatesv1.CertificateSigningRequestStatus, t certificatesv1.RequestConditionType) []*certificatesv1.CertificateSigningRequestCondition {
	var list []*certificatesv1.CertificateSigningRequestCondition
	for i := range s.Conditions {
		if s.Conditions[i].Type == t {
			list = append(list, &s.Conditions[i])
		}
	}
	return list
}

// signing keeps what was asked for and what those who approve have said: signers set the rest.
func signing(updated, old *certificatesv1.CertificateSigningRequest) {
	updated.Spec = old.Spec
	for _, t := range []certificatesv1.RequestConditionType{certificatesv1.CertificateApproved, certificatesv1.CertificateDenied} {
		is, was := conditionsOf(&updated.Status, t), conditionsOf(&old.Status, t)
		if len(is) != len(was) {
			continue // validation refuses that
		}
		for i := range is {
			*is[i] = *was[i]
		}
	}
	stampConditions(updated, old)
}

// approving keeps everything but the conditions.
func approving(updated, old *certificatesv1.CertificateSigningRequest) {
	stampConditions(updated, old)
	conditions := updated.Status.Conditions
	updated.Spec, updated.Status = old.Spec, old.Status
	updated.Status.Conditions = conditions
}

// stampConditions fills in when a condition was written, and since when it is as it is.
func stampConditions(updated, old *certificatesv1.CertificateSigningRequest) {
	now := metav1.Now()
	for i := range updated.Status.Conditions {
		c := &updated.Status.Conditions[i]
		setDefaultText(&c.LastUpdateTime, now)
		if !c.LastTransitionTime.IsZero() {
			continue
		}
		c.LastTransitionTime = now
		for _, was := range conditionsOf(&old.Status, c.Type) {
			if was.Status == c.Status && !was.LastTransitionTime.IsZero() {
				c.LastTransitionTime = was.LastTransitionTime
				break
			}
		}
	}
}
