package controller

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestPlanTokenSecret(t *testing.T) {
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "robot", UID: "1"}}
	full := func() *corev1.Secret {
		return &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{corev1.ServiceAccountUIDKey: "1"}},
			Data:       map[string][]byte{"token": []byte("t"), "ca.crt": []byte("ca"), "namespace": []byte("n")},
		}
	}
	for _, tt := range []struct {
		name    string
		change  func(*corev1.Secret)
		account *corev1.ServiceAccount
		want    string
	}{
		{"full", func(*corev1.Secret) {}, account, ""},
		{"new", func(s *corev1.Secret) { s.Data, s.Annotations = nil, nil }, account, "set the CA; set the namespace; sign a token"},
		{"another CA", func(s *corev1.Secret) { s.Data["ca.crt"] = []byte("old") }, account, "set the CA"},
		{"emptied", func(s *corev1.Secret) { s.Data["token"] = nil }, account, "sign a token"},
		{"no account", func(*corev1.Secret) {}, nil, "remove"},
		{"of its namesake", func(s *corev1.Secret) { s.Annotations[corev1.ServiceAccountUIDKey] = "0" }, account, "remove"},
		{"no account, going", func(s *corev1.Secret) { s.DeletionTimestamp = &metav1.Time{} }, nil, ""},
	} {
		secret := full()
		tt.change(secret)
		if got := planTokenSecret(secret, tt.account, []byte("ca")).String(); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
