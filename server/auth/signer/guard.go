package signer

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	certificatesv1 "k8s.io/api/certificates/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/auth"
	"leme/server/kind"
	"leme/server/resource"
)

// Guard is a resource.Guard for the writes to certificate signing requests and trust bundles. What the server does by
// itself passes, but for requests that nobody may make.
func Guard(authorizer auth.Authorizer) resource.Guard {
	return func(ctx context.Context, w resource.Write) error {
		var problem error
		switch obj := w.Object.(type) {
		case *certificatesv1.CertificateSigningRequest:
			problem = requestProblem(ctx, authorizer, w, obj)
		case *certificatesv1.ClusterTrustBundle:
			problem = bundleProblem(ctx, authorizer, w, obj)
		}
		if problem != nil {
			return apierrors.NewForbidden(w.Kind.GroupResource(), w.Object.(metav1.Object).GetName(), problem)
		}
		return nil
	}
}

func requestProblem(ctx context.Context, authorizer auth.Authorizer, w resource.Write, csr *certificatesv1.CertificateSigningRequest) error {
	old, _ := w.Old.(*certificatesv1.CertificateSigningRequest)
	switch r, client := auth.RequestOf(ctx); {
	case w.Subresource == "" && old == nil:
		return subject(csr)
	case client && w.Subresource == "approval" && !may(authorizer, r.User, "approve", old.Spec.SignerName):
		return fmt.Errorf("user not permitted to approve requests with signerName %q", old.Spec.SignerName)
	case client && w.Subresource == resource.Status && decides(csr, old) && !may(authorizer, r.User, "sign", old.Spec.SignerName):
		return fmt.Errorf("user not permitted to sign requests with signerName %q", old.Spec.SignerName)
	}
	return nil
}

// bundleProblem lets only those say what a signer's certificates are trusted by who may attest for the signer.
func bundleProblem(ctx context.Context, authorizer auth.Authorizer, w resource.Write, b *certificatesv1.ClusterTrustBundle) error {
	r, client := auth.RequestOf(ctx)
	if !client || b.Spec.SignerName == "" || w.OwnersOnly() || may(authorizer, r.User, "attest", b.Spec.SignerName) {
		return nil
	}
	return fmt.Errorf("user not permitted to attest for signerName %q", b.Spec.SignerName)
}

// subject refuses to make a client of the API a superuser by a certificate.
func subject(csr *certificatesv1.CertificateSigningRequest) error {
	if csr.Spec.SignerName != certificatesv1.KubeAPIServerClientSignerName {
		return nil
	}
	request, err := kind.ParseCertificateRequest(csr.Spec.Request)
	if err != nil {
		return fmt.Errorf("failed to parse CSR: %w", err)
	}
	if slices.Contains(request.Subject.Organization, auth.GroupMasters) {
		return fmt.Errorf("use of %s signer with %s group is not allowed", csr.Spec.SignerName, auth.GroupMasters)
	}
	return nil
}

// decides tells whether a write to the status is a signer's.
func decides(csr, old *certificatesv1.CertificateSigningRequest) bool {
	return !bytes.Equal(csr.Status.Certificate, old.Status.Certificate) ||
		!equality.Semantic.DeepEqual(csr.Status.Conditions, old.Status.Conditions)
}

// may asks for a signer by its name, then for all of its domain.
func may(authorizer auth.Authorizer, user auth.User, verb, signer string) bool {
	domain, _, _ := strings.Cut(signer, "/")
	return slices.ContainsFunc([]string{signer, domain + "/*"}, func(name string) bool {
		allowed, _ := authorizer.Authorize(user, auth.Attributes{Verb: verb, Group: certificatesv1.GroupName, Resource: "signers", Name: name})
		return allowed
	})
}
