package controller

import (
	"context"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"

	"leme/server/auth"
	"leme/server/auth/signer"
	"leme/server/kind"
	"leme/server/resource"
)

// newCertificateApproval approves the requests of nodes for their own client certificates, when roles let them have it.
func newCertificateApproval(e *environment) component {
	requests := resource.For[*certificatesv1.CertificateSigningRequest](e.api, kind.CertificateSigningRequest, "system:controller:certificate-controller")
	return &loop[objectKey]{
		name:    "csrapproval",
		workers: 2,
		sources: []source[objectKey]{{of(e.api, kind.CertificateSigningRequest), itself}},
		reconcile: func(ctx context.Context, key objectKey) (time.Duration, error) {
			csr, ok := requests.Get("", key.Name)
			if !ok || decided(csr) {
				return 0, nil
			}
			why := approval(e.Authorizer, csr)
			if why == "" {
				return 0, nil
			}
			_, err := requests.UpdateSubresource(ctx, "", csr.Name, "approval", func(now *certificatesv1.CertificateSigningRequest) error {
				if now.UID == csr.UID && !decided(now) {
					setCondition(now, certificatesv1.CertificateApproved, "AutoApproved", why)
				}
				return nil
			})
			return 0, ignoreGone(err)
		},
	}
}

func decided(csr *certificatesv1.CertificateSigningRequest) bool {
	return conditionOf(csr, certificatesv1.CertificateApproved) != nil || conditionOf(csr, certificatesv1.CertificateDenied) != nil
}

// approval says why a request is approved without anybody being asked; empty when it is not.
func approval(authorizer auth.Authorizer, csr *certificatesv1.CertificateSigningRequest) string {
	const name = certificatesv1.KubeAPIServerClientKubeletSignerName
	if csr.Spec.SignerName != name {
		return ""
	}
	request, err := kind.ParseCertificateRequest(csr.Spec.Request)
	if err != nil || signer.Check(name, request, csr.Spec.Usages) != nil {
		return ""
	}
	user := auth.User{Name: csr.Spec.Username, UID: csr.Spec.UID, Groups: csr.Spec.Groups}
	may := func(subresource string) bool {
		allowed, _ := authorizer.Authorize(user, auth.Attributes{
			Verb: "create", Group: certificatesv1.GroupName, Resource: kind.CertificateSigningRequest.Resource, Subresource: subresource,
		})
		return allowed
	}
	switch {
	case request.Subject.CommonName == user.Name && may("selfnodeclient"):
		return "Auto approving self kubelet client certificate after SubjectAccessReview."
	case may("nodeclient"):
		return "Auto approving kubelet client certificate after SubjectAccessReview."
	}
	return ""
}
