package token

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"

	"github.com/golang-jwt/jwt/v5"
	corev1 "k8s.io/api/core/v1"

	"leme/server/auth"
)

// legacyIssuer is who signs the tokens in Secrets, which do not expire: they end with their Secret or their account.
const legacyIssuer = "kubernetes/serviceaccount"

// invalidSince is the label of Secrets whose tokens are not to be taken any more.
const invalidSince = "kubernetes.io/legacy-token-invalid-since"

// legacyClaims are what a token in a Secret says.
type legacyClaims struct {
	jwt.RegisteredClaims
	Namespace  string `json:"kubernetes.io/serviceaccount/namespace"`
	Secret     string `json:"kubernetes.io/serviceaccount/secret.name"`
	Account    string `json:"kubernetes.io/serviceaccount/service-account.name"`
	AccountUID string `json:"kubernetes.io/serviceaccount/service-account.uid"`
}

// ForSecret is the token of a service account that a Secret of the type kubernetes.io/service-account-token holds.
func (t *Tokens) ForSecret(account *corev1.ServiceAccount, secret *corev1.Secret) (string, error) {
	return t.signed(&legacyClaims{
		RegisteredClaims: jwt.RegisteredClaims{Issuer: legacyIssuer, Subject: auth.ServiceAccountUser(account.Namespace, account.Name)},
		Namespace:        account.Namespace, Secret: secret.Name, Account: account.Name, AccountUID: string(account.UID),
	})
}

// verifySecret finds the account of a token in a Secret: both must be there still, and the token be the Secret's.
func (t *Tokens) verifySecret(text string, audiences []string) (auth.User, []string, error) {
	var c legacyClaims
	parser := jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodES256.Alg()}), jwt.WithIssuer(legacyIssuer))
	if _, err := parser.ParseWithClaims(text, &c, t.publicKey); err != nil {
		return auth.User{}, nil, err
	}
	shared := slices.DeleteFunc(slices.Clone(audiences), func(a string) bool { return !slices.Contains(Audiences, a) })
	if len(shared) == 0 {
		return auth.User{}, nil, fmt.Errorf("token audiences %q is invalid for the target audiences %q", Audiences, audiences)
	}
	u := auth.User{
		Name: auth.ServiceAccountUser(c.Namespace, c.Account), UID: c.AccountUID,
		Groups: []string{groupAccounts, groupAccounts + ":" + c.Namespace},
	}
	if c.Subject != u.Name {
		return auth.User{}, nil, errors.New("the token's subject is not its service account")
	}
	secret, ok := t.secrets.Get(c.Namespace, c.Secret)
	switch {
	case !ok || secret.DeletionTimestamp != nil:
		return auth.User{}, nil, fmt.Errorf("secret %q has been deleted", c.Secret)
	case subtle.ConstantTimeCompare(secret.Data[corev1.ServiceAccountTokenKey], []byte(text)) != 1:
		return auth.User{}, nil, fmt.Errorf("secret %q holds another token", c.Secret)
	case secret.Labels[invalidSince] != "":
		return auth.User{}, nil, fmt.Errorf("the token in secret %s/%s for service account %s/%s has been marked invalid", c.Namespace, c.Secret, c.Namespace, c.Account)
	}
	account, ok := t.accounts.Get(c.Namespace, c.Account)
	return u, shared, t.there("service account", ref{c.Account, c.AccountUID}, account, ok)
}
