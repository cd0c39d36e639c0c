package token

import (
	"encoding/json"
	"time"

	corev1 "k8s.io/api/core/v1"

	"leme/server/kind"
	"leme/server/resource"
)

// Tokens makes and checks tokens. Make it with New. Its methods may be called concurrently, and read from the watch
// cache alone.
type Tokens struct {
	keys     *Keys
	now      func() time.Time
	accounts resource.Typed[*corev1.ServiceAccount]
	pods     resource.Typed[*corev1.Pod]
	secrets  resource.Typed[*corev1.Secret]
	nodes    resource.Typed[*corev1.Node]
}

// New returns the tokens of a cluster's service accounts.
func New(keys *Keys, api *resource.API) *Tokens {
	const user = "system:leme-server"
	return &Tokens{
		keys: keys, now: time.Now,
		accounts: resource.For[*corev1.ServiceAccount](api, kind.ServiceAccount, user),
		pods:     resource.For[*corev1.Pod](api, kind.Pod, user),
		secrets:  resource.For[*corev1.Secret](api, kind.Secret, user),
		nodes:    resource.For[*corev1.Node](api, kind.Node, user),
	}
}

// KeySetPath is where the key set is served.
const KeySetPath = "/openid/v1/jwks"

// KeySet is the document at KeySetPath.
func (t *Tokens) KeySet() ([]byte, error) { return t.keys.keySet() }

// Configuration is the document at /.well-known/openid-configuration of a server with the given address.
func (t *Tokens) Configuration(address string) ([]byte, error) {
	return json.Marshal(map[string]any{
		"issuer":                                Issuer,
		"jwks_uri":                              address + KeySetPath,
		"response_types_supported":              []string{"id_token"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"ES256"},
	})
}
