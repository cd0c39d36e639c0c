package controller_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/kind"
	"leme/server/resource"
)

// signed is a token that tells whose it is.
func signed(account *corev1.ServiceAccount, secret *corev1.Secret) (string, error) {
	return "token of " + account.Name + " in " + secret.Name, nil
}

func TestTokenSecretsLiveWithTheirAccount(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	accounts := resource.For[*corev1.ServiceAccount](c.api, kind.ServiceAccount, tester)
	secrets := resource.For[*corev1.Secret](c.api, kind.Secret, tester)
	account, err := accounts.Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "robot"}})
	if err != nil {
		t.Fatal(err)
	}
	made(t)(secrets.Create(t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "of-robot", Annotations: map[string]string{corev1.ServiceAccountNameKey: "robot"}},
		Type:       corev1.SecretTypeServiceAccountToken,
	}))
	c.await("the secret is filled in", func() bool {
		s, ok := secrets.Get("default", "of-robot")
		return ok && string(s.Data["token"]) == "token of robot in of-robot" && string(s.Data["ca.crt"]) == "the CA" &&
			string(s.Data["namespace"]) == "default" && s.Annotations[corev1.ServiceAccountUIDKey] == string(account.UID)
	})
	if err := accounts.Delete(t.Context(), "default", "robot", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	c.await("it has gone with its account", func() bool { _, ok := secrets.Get("default", "of-robot"); return !ok })
}

func TestExpiredBootstrapTokensAreRemoved(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	made(t)(c.namespaces.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "kube-system"}}))
	secrets := resource.For[*corev1.Secret](c.api, kind.Secret, tester)
	create := func(name, expires string) {
		made(t)(secrets.Create(t.Context(), &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: name},
			Type:       "bootstrap.kubernetes.io/token", Data: map[string][]byte{"expiration": []byte(expires)},
		}))
	}
	create("lasting", "2999-01-01T00:00:00Z")
	create("expired", "2001-01-01T00:00:00Z")
	c.await("the expired one is gone", func() bool { _, ok := secrets.Get("kube-system", "expired"); return !ok })
	if _, ok := secrets.Get("kube-system", "lasting"); !ok {
		t.Error("the other is gone too")
	}
}
