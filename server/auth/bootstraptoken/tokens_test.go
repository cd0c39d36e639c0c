package bootstraptoken

import (
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/kind"
	"leme/server/resource"
	"leme/server/resource/resourcetest"
	"leme/server/store/storetest"
)

const good = "abcdef.0123456789abcdef"

func TestBootstrapTokens(t *testing.T) {
	api := resource.New(storetest.New(t), kind.All())
	resourcetest.Namespace(t, api, "kube-system", nil)
	tokens := New(api)
	clock := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	tokens.now = func() time.Time { return clock }
	whole := map[string]string{
		"token-id": "abcdef", "token-secret": "0123456789abcdef", "usage-bootstrap-authentication": "true",
		"auth-extra-groups": "system:bootstrappers:workers", "expiration": "2030-01-01T01:00:00Z",
	}
	for _, tt := range []struct {
		name, token string
		change      map[string]string
		groups      []string // nil: refused
	}{
		{"good", good, nil, []string{"system:bootstrappers", "system:bootstrappers:workers"}},
		{"no groups", good, map[string]string{"auth-extra-groups": ""}, []string{"system:bootstrappers"}},
		{"another secret", "abcdef.0123456789abcdee", nil, nil},
		{"another id", "abcdee.0123456789abcdef", nil, nil},
		{"no token at all", "abcdef", nil, nil},
		{"expired", good, map[string]string{"expiration": "2029-12-31T23:59:59Z"}, nil},
		{"a time that nobody can read", good, map[string]string{"expiration": "soon"}, nil},
		{"not for authentication", good, map[string]string{"usage-bootstrap-authentication": "false"}, nil},
		{"of another id", good, map[string]string{"token-id": "fedcba"}, nil},
		{"a group of masters", good, map[string]string{"auth-extra-groups": "system:masters"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			secret := &corev1.Secret{
				ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "bootstrap-token-abcdef"},
				Type:       "bootstrap.kubernetes.io/token", Data: map[string][]byte{},
			}
			for _, values := range []map[string]string{whole, tt.change} {
				for key, value := range values {
					secret.Data[key] = []byte(value)
				}
			}
			if _, err := tokens.secrets.Create(t.Context(), secret); err != nil {
				t.Fatal(err)
			}
			defer tokens.secrets.Delete(t.Context(), "kube-system", secret.Name, metav1.DeleteOptions{}) //nolint:errcheck // the next one says
			u, found, err := tokens.Authenticate(tt.token)
			if err != nil || found != (tt.groups != nil) || !slices.Equal(u.Groups, tt.groups) {
				t.Errorf("got %+v, %v, %v", u, found, err)
			}
			if found && u.Name != "system:bootstrap:abcdef" {
				t.Errorf("got %s", u.Name)
			}
		})
	}
}
