package controller

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

// Signer makes the token of a service account that a Secret holds.
type Signer func(account *corev1.ServiceAccount, secret *corev1.Secret) (string, error)

// newTokenSecrets fills in the Secrets that ask for a service account's token, and removes them with their account.
func newTokenSecrets(e *environment) component {
	const user = "system:controller:token-controller"
	t := tokenSecrets{
		ca: e.CA, sign: e.Signer,
		accounts: resource.For[*corev1.ServiceAccount](e.api, kind.ServiceAccount, user),
		secrets:  resource.For[*corev1.Secret](e.api, kind.Secret, user),
	}
	return &loop[objectKey]{
		name:    "tokensecret",
		workers: 2,
		sources: []source[objectKey]{
			{of(e.api, kind.Secret), itself},
			{of(e.api, kind.ServiceAccount), t.ofAccount},
		},
		reconcile: t.reconcile,
	}
}

type tokenSecrets struct {
	ca       []byte
	sign     Signer
	accounts resource.Typed[*corev1.ServiceAccount]
	secrets  resource.Typed[*corev1.Secret]
}

// ofAccount gives the Secrets that hold tokens of an account, or of its namesake before it.
func (t tokenSecrets) ofAccount(e store.Event, add func(objectKey)) {
	name := e.Item.Key.Name
	for _, s := range t.secrets.List(e.Item.Key.Namespace, func(s *corev1.Secret) bool { return accountOfToken(s) == name }) {
		add(objectKey{Namespace: s.Namespace, Name: s.Name})
	}
}

// accountOfToken is the account whose token a Secret is for; empty for all other Secrets.
func accountOfToken(s *corev1.Secret) string {
	if s.Type != corev1.SecretTypeServiceAccountToken {
		return ""
	}
	return s.Annotations[corev1.ServiceAccountNameKey]
}

func (t tokenSecrets) reconcile(ctx context.Context, key objectKey) (time.Duration, error) {
	secret, ok := t.secrets.Get(key.Namespace, key.Name)
	if !ok || accountOfToken(secret) == "" {
		return 0, nil
	}
	account, ok := t.accounts.Get(key.Namespace, accountOfToken(secret))
	if !ok {
		account = nil
	}
	switch plan := planTokenSecret(secret, account, t.ca); {
	case plan.remove:
		o := metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(secret.UID))}
		return 0, ignoreGone(t.secrets.Delete(ctx, key.Namespace, key.Name, o))
	case plan.fills():
		return 0, t.fill(ctx, account, secret, plan)
	}
	return 0, nil
}

// fill writes what a Secret lacks, if it is still the one that was looked at.
func (t tokenSecrets) fill(ctx context.Context, account *corev1.ServiceAccount, seen *corev1.Secret, plan tokenSecretPlan) error {
	token := ""
	if plan.token {
		var err error
		if token, err = t.sign(account, seen); err != nil {
			return err
		}
	}
	_, err := t.secrets.Update(ctx, seen.Namespace, seen.Name, func(s *corev1.Secret) error {
		if s.UID != seen.UID || len(s.Data[corev1.ServiceAccountTokenKey]) > 0 && plan.token {
			return nil // somebody else's, which the next look is for
		}
		if s.Data == nil {
			s.Data = map[string][]byte{}
		}
		if plan.ca {
			s.Data[corev1.ServiceAccountRootCAKey] = t.ca
		}
		if plan.namespace {
			s.Data[corev1.ServiceAccountNamespaceKey] = []byte(s.Namespace)
		}
		if plan.token {
			s.Data[corev1.ServiceAccountTokenKey] = []byte(token)
		}
		metav1.SetMetaDataAnnotation(&s.ObjectMeta, corev1.ServiceAccountNameKey, account.Name)
		metav1.SetMetaDataAnnotation(&s.ObjectMeta, corev1.ServiceAccountUIDKey, string(account.UID))
		return nil
	})
	return ignoreGone(err)
}
