// Package resourcetest prepares what tests over the verbs need to be there.
package resourcetest

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/kind"
	"leme/server/resource"
)

// Namespace makes a namespace in which pods can be made: with its default service account, which a controller makes
// where controllers run.
func Namespace(t testing.TB, a *resource.API, name string, labels map[string]string) {
	t.Helper()
	namespaces := resource.For[*corev1.Namespace](a, kind.Namespace, "test")
	if _, err := namespaces.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}); err != nil {
		t.Fatal(err)
	}
	accounts := resource.For[*corev1.ServiceAccount](a, kind.ServiceAccount, "test")
	if _, err := accounts.Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "default"}}); err != nil {
		t.Fatal(err)
	}
}
