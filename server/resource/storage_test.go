package resource_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"slices"
	"testing"

	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apiresource "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/auth"
	"leme/server/kind"
	"leme/server/resource"
)

func claims(name string) resource.Target {
	return target(kind.PersistentVolumeClaim, "default", name)
}

func newClaim(name string, class *string, size string) *corev1.PersistentVolumeClaim {
	return &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}, StorageClassName: class,
			Resources: corev1.VolumeResourceRequirements{Requests: counts("storage", size)},
		},
	}
}

func newClass(t testing.TB, a *resource.API, name string, growing, standard bool) {
	t.Helper()
	class := &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: name}, Provisioner: "example.com/disk", AllowVolumeExpansion: &growing}
	if standard {
		class.Annotations = map[string]string{kind.DefaultClassAnnotation: "true"}
	}
	create(t, a, target(kind.StorageClass, "", ""), class)
}

func TestClaimDefaults(t *testing.T) {
	a := newAPI(t)
	class := func(name string, of *string) string {
		c := object[*corev1.PersistentVolumeClaim](t, create(t, a, claims(""), newClaim(name, of, "1Gi")))
		if !slices.Equal(c.Finalizers, []string{kind.ClaimProtection}) {
			t.Errorf("%s has the finalizers %v", name, c.Finalizers)
		}
		if c.Spec.StorageClassName == nil {
			return "none named"
		}
		return *c.Spec.StorageClassName
	}
	if got := class("early", nil); got != "none named" {
		t.Errorf("without a default class a claim gets %q", got)
	}
	newClass(t, a, "other", false, false)
	newClass(t, a, "standard", false, true)
	if got := class("late", nil); got != "standard" {
		t.Errorf("a claim gets %q", got)
	}
	if got := class("static", new("")); got != "" {
		t.Errorf("a claim that wants no class gets %q", got)
	}
}

func TestClaimsGrow(t *testing.T) {
	a, ctx := newAPI(t), context.Background()
	newClass(t, a, "fixed", false, false)
	newClass(t, a, "growing", true, false)
	grow := func(name string) error {
		it := must(a.Get(ctx, claims(name), metav1.GetOptions{}))(t)
		c := object[*corev1.PersistentVolumeClaim](t, it).DeepCopy()
		c.Spec.Resources.Requests[corev1.ResourceStorage] = apiresource.MustParse("2Gi")
		_, _, err := a.Update(ctx, claims(name), c, metav1.UpdateOptions{})
		return err
	}
	for _, class := range []string{"fixed", "growing"} {
		create(t, a, claims(""), newClaim(class, &class, "1Gi"))
		reason(t, grow(class), metav1.StatusReasonInvalid)
		tg := claims(class)
		c := object[*corev1.PersistentVolumeClaim](t, must(a.Get(ctx, tg, metav1.GetOptions{}))(t)).DeepCopy()
		c.Spec.VolumeName = "disk"
		update(t, a, tg, c)
		c = object[*corev1.PersistentVolumeClaim](t, must(a.Get(ctx, tg, metav1.GetOptions{}))(t)).DeepCopy()
		c.Status.Phase = corev1.ClaimBound
		tg.Subresource = resource.Status
		update(t, a, tg, c)
	}
	reason(t, grow("fixed"), metav1.StatusReasonForbidden)
	if err := grow("growing"); err != nil {
		t.Error(err)
	}
}

func TestRequester(t *testing.T) {
	a := newAPI(t)
	user := auth.User{Name: "jane", UID: "7", Groups: []string{"staff"}, Extra: map[string][]string{"team": {"a"}}}
	ctx := auth.WithRequest(t.Context(), auth.Request{User: user})
	csr := &certificatesv1.CertificateSigningRequest{ObjectMeta: metav1.ObjectMeta{Name: "jane"}, Spec: certificatesv1.CertificateSigningRequestSpec{
		Request: certificateRequest(t), SignerName: "example.com/own", Usages: []certificatesv1.KeyUsage{"any"}, Username: "root", Groups: []string{"system:masters"},
	}}
	it := must(a.Create(ctx, target(kind.CertificateSigningRequest, "", ""), csr, metav1.CreateOptions{}))(t)
	if s := object[*certificatesv1.CertificateSigningRequest](t, it).Spec; s.Username != "jane" || s.UID != "7" || !slices.Equal(s.Groups, user.Groups) || len(s.Extra["team"]) != 1 {
		t.Errorf("the requester is %q, %q, %v, %v", s.Username, s.UID, s.Groups, s.Extra)
	}
}

func certificateRequest(t testing.TB) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "jane"}}, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
}
