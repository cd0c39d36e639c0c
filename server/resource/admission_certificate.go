package resource

import (
	"context"

	certificatesv1 "k8s.io/api/certificates/v1"

	"leme/server/auth"
)

// requester writes into a new certificate signing request who asks, whatever the request says.
func requester(ctx context.Context, _ *API, w admission) error {
	csr, ok := w.object.(*certificatesv1.CertificateSigningRequest)
	if !ok || w.old != nil {
		return nil
	}
	user := auth.User{Name: w.User}
	if r, client := auth.RequestOf(ctx); client {
		user = r.User
	}
	s := &csr.Spec
	s.Username, s.UID, s.Groups, s.Extra = user.Name, user.UID, user.Groups, nil
	for key, values := range user.Extra {
		if s.Extra == nil {
			s.Extra = map[string]certificatesv1.ExtraValue{}
		}
		s.Extra[key] = values
	}
	return nil
}
