package auth

import (
	"errors"
	"net/http"
	"slices"
	"strings"
)

// ErrBadCredentials says that a request carried credentials that nobody here has given out.
var ErrBadCredentials = errors.New("the credentials are not valid")

// chain asks one method after the other; the first that finds credentials of its own decides.
type chain []method

// method looks for one sort of credentials. found is false where the request has none of them.
type method func(r *http.Request) (u User, found bool, err error)

// Verifier finds the user of a token of one sort. found is false for every other token.
type Verifier func(secret string) (u User, found bool, err error)

// NewAuthenticator finds users by client certificate, bearer token, or Basic with a token as the password; the
// verifiers see a token before it is looked for among the static ones. Whoever is found is a member of
// system:authenticated too.
func NewAuthenticator(tokens *Tokens, verifiers ...Verifier) Authenticator {
	verifiers = append(verifiers, tokens.verify)
	return chain{clientCertificate, bearer(verifiers), basic(verifiers)}
}

func (c chain) Authenticate(r *http.Request) (User, bool, error) {
	for _, m := range c {
		u, found, err := m(r)
		if err != nil {
			return User{}, false, err
		}
		if found {
			u.Groups = append(slices.Clip(u.Groups), GroupAuthenticated)
			return u, true, nil
		}
	}
	return User{}, false, nil
}

// clientCertificate trusts what the TLS handshake has verified: the common name is the user, the organizations the groups.
func clientCertificate(r *http.Request) (User, bool, error) {
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
		return User{}, false, nil
	}
	subject := r.TLS.VerifiedChains[0][0].Subject
	if subject.CommonName == "" {
		return User{}, false, ErrBadCredentials
	}
	return User{Name: subject.CommonName, Groups: subject.Organization}, true, nil
}

func bearer(verifiers []Verifier) method {
	return func(r *http.Request) (User, bool, error) {
		scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "bearer") {
			return User{}, false, nil
		}
		return verify(verifiers, strings.TrimSpace(secret))
	}
}

func basic(verifiers []Verifier) method {
	return func(r *http.Request) (User, bool, error) {
		_, secret, ok := r.BasicAuth()
		if !ok {
			return User{}, false, nil
		}
		return verify(verifiers, secret)
	}
}

func verify(verifiers []Verifier, secret string) (User, bool, error) {
	for _, v := range verifiers {
		if u, found, err := v(secret); found || err != nil {
			return u, found, err
		}
	}
	return User{}, false, ErrBadCredentials
}
