// Package bootstraptoken takes the tokens by which machines join: those of Secrets of the type bootstrap.kubernetes.io/token
// in kube-system. They are good for little and for a while: whoever holds one is system:bootstrap:ID, in the group
// system:bootstrappers and in those that the Secret names.
//
//	authenticator := auth.NewAuthenticator(static, bootstraptoken.New(api).Authenticate)
package bootstraptoken

import (
	"crypto/subtle"
	"log/slog"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	bootstrapapi "k8s.io/cluster-bootstrap/token/api"
	tokenutil "k8s.io/cluster-bootstrap/token/util"
	secretutil "k8s.io/cluster-bootstrap/util/secrets"

	"leme/server/auth"
	"leme/server/kind"
	"leme/server/resource"
)

// Tokens checks tokens. Make it with New. It reads from the watch cache alone.
type Tokens struct {
	now     func() time.Time
	secrets resource.Typed[*corev1.Secret]
}

// New returns the bootstrap tokens of a cluster.
func New(api *resource.API) *Tokens {
	return &Tokens{now: time.Now, secrets: resource.For[*corev1.Secret](api, kind.Secret, "system:leme-server")}
}

// Authenticate is an auth.Verifier. What is no good bootstrap token may be another sort of token: it is no error.
func (t *Tokens) Authenticate(token string) (u auth.User, found bool, err error) {
	if !tokenutil.IsValidBootstrapToken(token) {
		return auth.User{}, false, nil
	}
	id, rest := token[:bootstrapapi.BootstrapTokenIDBytes], token[bootstrapapi.BootstrapTokenIDBytes+1:]
	secret, ok := t.secrets.Get(metav1.NamespaceSystem, bootstrapapi.BootstrapTokenSecretPrefix+id)
	if !ok || !t.opens(secret, id, rest) {
		return auth.User{}, false, nil
	}
	groups, err := secretutil.GetGroups(secret)
	if err != nil {
		slog.Debug("A bootstrap token names a group that it may not give", "secret", secret.Name, "error", err)
		return auth.User{}, false, nil
	}
	return auth.User{Name: bootstrapapi.BootstrapUserPrefix + id, Groups: groups}, true, nil
}

// opens tells whether a Secret holds this token, for authentication, and still.
func (t *Tokens) opens(secret *corev1.Secret, id, rest string) bool {
	data := func(key string) string { return secretutil.GetData(secret, key) }
	return secret.DeletionTimestamp == nil && secret.Type == bootstrapapi.SecretTypeBootstrapToken &&
		subtle.ConstantTimeCompare([]byte(data(bootstrapapi.BootstrapTokenSecretKey)), []byte(rest)) == 1 &&
		data(bootstrapapi.BootstrapTokenIDKey) == id &&
		data(bootstrapapi.BootstrapTokenUsageAuthentication) == "true" &&
		!secretutil.HasExpired(secret, t.now())
}
