package token

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	"leme/server/auth"
	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store/storetest"
)

// bed is tokens of a cluster with the accounts web and other, a pod and a secret, and a clock of its own.
type bed struct {
	*Tokens
	api   *resource.API
	clock time.Time
}

func newBed(t *testing.T) *bed {
	t.Helper()
	key, err := OpenKeys(filepath.Join(t.TempDir(), "sa.key"))
	if err != nil {
		t.Fatal(err)
	}
	api := resource.New(storetest.New(t), kind.All())
	b := &bed{Tokens: New(key, api), api: api, clock: time.Now()}
	b.now = func() time.Time { return b.clock }
	ctx, meta := t.Context(), func(name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: "default", Name: name}
	}
	_, errNamespace := resource.For[*corev1.Namespace](api, kind.Namespace, "t").Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "default"}})
	_, errWeb := b.accounts.Create(ctx, &corev1.ServiceAccount{ObjectMeta: meta("web")})
	_, errOther := b.accounts.Create(ctx, &corev1.ServiceAccount{ObjectMeta: meta("other")})
	_, errSecret := b.secrets.Create(ctx, &corev1.Secret{ObjectMeta: meta("s")})
	_, errPod := b.pods.Create(ctx, &corev1.Pod{ObjectMeta: meta("p"), Spec: corev1.PodSpec{
		NodeName: "n1", ServiceAccountName: "web", Containers: []corev1.Container{{Name: "c", Image: "i"}},
	}})
	if err := errors.Join(errNamespace, errWeb, errOther, errSecret, errPod); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bed) token(t *testing.T, change func(*authenticationv1.TokenRequestSpec)) string {
	t.Helper()
	r := &authenticationv1.TokenRequest{}
	if change != nil {
		change(&r.Spec)
	}
	if err := b.Request(t.Context(), "default", "web", r); err != nil {
		t.Fatal(err)
	}
	return r.Status.Token
}

func boundTo(what, name string) func(*authenticationv1.TokenRequestSpec) {
	return func(s *authenticationv1.TokenRequestSpec) {
		s.BoundObjectRef = &authenticationv1.BoundObjectReference{APIVersion: "v1", Kind: what, Name: name}
	}
}

func TestTokensAreOfTheirAccount(t *testing.T) {
	b := newBed(t)
	u, audiences, err := b.Verify(b.token(t, boundTo("Pod", "p")), Audiences)
	if err != nil {
		t.Fatal(err)
	}
	if u.Name != "system:serviceaccount:default:web" || strings.Join(u.Groups, " ") != "system:serviceaccounts system:serviceaccounts:default" ||
		u.UID == "" || u.Extra[extraPod][0] != "p" || u.Extra[extraNode][0] != "n1" || audiences[0] != Issuer {
		t.Errorf("got %+v for %v", u, audiences)
	}
	if u, found, err := b.Authenticate("not.one.ofthem"); found || err != nil {
		t.Errorf("another token gave %v, %v", u, err)
	}
}

func TestTokensThatAreNotGood(t *testing.T) {
	for _, tt := range []struct {
		name string
		spec func(*authenticationv1.TokenRequestSpec)
		then func(*testing.T, *bed)
		want string
	}{
		{"expired", nil, func(_ *testing.T, b *bed) { b.clock = b.clock.Add(time.Hour + time.Second) }, "token is expired"},
		{"for others", func(s *authenticationv1.TokenRequestSpec) { s.Audiences = []string{"vault"} }, nil, "invalid for the target audiences"},
		{"without its account", nil, func(t *testing.T, b *bed) { remove(t, b.accounts, "web") }, `service account "web" has been deleted`},
		{"of an account that was made anew", nil, func(t *testing.T, b *bed) {
			remove(t, b.accounts, "web")
			if _, err := b.accounts.Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"}}); err != nil {
				t.Fatal(err)
			}
		}, "does not match claim"},
		{"without its pod", boundTo("Pod", "p"), func(t *testing.T, b *bed) { remove(t, b.pods, "p") }, `pod "p" has been deleted`},
		{"without its secret", boundTo("Secret", "s"), func(t *testing.T, b *bed) { remove(t, b.secrets, "s") }, `secret "s" has been deleted`},
		{"of another cluster", nil, func(t *testing.T, b *bed) {
			key, err := OpenKeys(filepath.Join(t.TempDir(), "sa.key"))
			if err != nil {
				t.Fatal(err)
			}
			b.keys = key
		}, "signed with another key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBed(t)
			secret := b.token(t, tt.spec)
			if tt.then != nil {
				tt.then(t, b)
			}
			_, found, err := b.Authenticate(secret)
			if !found || !errors.Is(err, auth.ErrBadCredentials) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, %v", found, err)
			}
		})
	}
}

func remove[T runtime.Object](t *testing.T, objects resource.Typed[T], name string) {
	t.Helper()
	if err := objects.Delete(t.Context(), "default", name, *metav1.NewDeleteOptions(0)); err != nil {
		t.Fatal(err)
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	b := newBed(t)
	agent := auth.WithRequest(t.Context(), auth.Request{User: auth.User{Name: "system:node:n2", Groups: []string{auth.GroupNodes}}})
	for _, tt := range []struct {
		name    string
		account string
		spec    func(*authenticationv1.TokenRequestSpec)
		agent   bool
		is      func(error) bool
		want    string
	}{
		{"no account", "none", nil, false, apierrors.IsNotFound, `serviceaccounts "none" not found`},
		{"too short", "web", func(s *authenticationv1.TokenRequestSpec) { s.ExpirationSeconds = ptr.To(int64(5)) }, false, apierrors.IsInvalid, "may not specify a duration less than 10 minutes"},
		{"too long", "web", func(s *authenticationv1.TokenRequestSpec) { s.ExpirationSeconds = ptr.To(int64(1<<32 + 1)) }, false, apierrors.IsInvalid, "larger than 2^32 seconds"},
		{"another's pod", "other", boundTo("Pod", "p"), false, apierrors.IsBadRequest, "different serviceaccount name"},
		{"no pod", "web", boundTo("Pod", "none"), false, apierrors.IsNotFound, `pods "none" not found`},
		{"another sort", "web", boundTo("ConfigMap", "c"), false, apierrors.IsBadRequest, "cannot bind token to object of type"},
		{"another pod of that name", "web", func(s *authenticationv1.TokenRequestSpec) {
			boundTo("Pod", "p")(s)
			s.BoundObjectRef.UID = "x"
		}, false, apierrors.IsConflict, "does not match the UID in record"},
		{"an agent's for nothing", "web", nil, true, apierrors.IsForbidden, "not bound to a pod"},
		{"an agent's for another node", "web", boundTo("Pod", "p"), true, apierrors.IsForbidden, "scheduled on a different node"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, ctx := &authenticationv1.TokenRequest{}, t.Context()
			if tt.spec != nil {
				tt.spec(&r.Spec)
			}
			if tt.agent {
				ctx = agent
			}
			if err := b.Request(ctx, "default", tt.account, r); !tt.is(err) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestKeyIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sa.key")
	first, err := OpenKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	if second, err := OpenKeys(path); err != nil || second.signer().id != first.signer().id {
		t.Errorf("the key changed: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenKeys(path); err == nil {
		t.Error("a broken key was taken, or made anew")
	}
}

// A key that is added is taken at once; a key that is moved to the front signs; one that is removed is not taken.
func TestKeysChangeWithoutABreak(t *testing.T) {
	b := newBed(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "sa.key")
	write := func(list ...[]byte) {
		t.Helper()
		if err := os.WriteFile(path, bytes.Join(list, nil), 0o600); err != nil {
			t.Fatal(err)
		}
		b.clock = b.clock.Add(time.Second)
		if err := os.Chtimes(path, b.clock, b.clock); err != nil { // a file system may count time in large steps
			t.Fatal(err)
		}
	}
	newKey := func(name string) []byte {
		t.Helper()
		if err := makeKey(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	old, next := newKey("old"), newKey("next")
	write(old)
	var err error
	if b.keys, err = OpenKeys(path); err != nil {
		t.Fatal(err)
	}
	good := func(secret string) bool { _, _, err := b.Verify(secret, Audiences); return err == nil }
	first := b.token(t, nil)
	write(old, next)
	if set, err := b.KeySet(); err != nil || strings.Count(string(set), `"kid"`) != 2 {
		t.Errorf("the key set is %s, %v", set, err)
	}
	oldID := b.keys.signer().id
	write(next, old)
	second := b.token(t, nil)
	if b.keys.signer().id == oldID || !good(first) || !good(second) {
		t.Error("the new key does not sign, or not both are taken")
	}
	write([]byte("nonsense"))
	if !good(second) {
		t.Error("a file that is wrong took the keys away")
	}
	write(next)
	if good(first) || !good(second) {
		t.Error("the old key is still taken, or the new one not")
	}
	public, err := x509.MarshalPKIXPublicKey(b.keys.signer().public)
	if err != nil {
		t.Fatal(err)
	}
	half := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	write(old, half)
	if !good(second) {
		t.Error("a public key is not enough to check by")
	}
	write(half)
	if _, err := OpenKeys(path); err == nil {
		t.Error("a public key was taken to sign with")
	}
}

// What pods get without asking lasts, for programs that read it once; its holder is told to renew it within the hour.
func TestInjectedTokensLast(t *testing.T) {
	b := newBed(t)
	for _, tt := range []struct {
		name  string
		spec  func(*authenticationv1.TokenRequestSpec)
		lasts bool
	}{
		{"a pod's", boundTo("Pod", "p"), true},
		{"nobody's", func(*authenticationv1.TokenRequestSpec) {}, false},
		{"a pod's for others", func(s *authenticationv1.TokenRequestSpec) { boundTo("Pod", "p")(s); s.Audiences = []string{"vault"} }, false},
	} {
		start := b.clock
		r := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: ptr.To(int64(3607))}}
		tt.spec(&r.Spec)
		if err := b.Request(t.Context(), "default", "web", r); err != nil {
			t.Fatal(err)
		}
		if told := r.Status.ExpirationTimestamp.Sub(start); told > 3607*time.Second {
			t.Errorf("%s: its holder is told of %s", tt.name, told)
		}
		b.clock = b.clock.Add(48 * time.Hour)
		if _, _, err := b.Verify(r.Status.Token, append(r.Spec.Audiences, Audiences...)); (err == nil) != tt.lasts {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestTokensOfSecrets(t *testing.T) {
	b := newBed(t)
	account, _ := b.accounts.Get("default", "web")
	secret, err := b.secrets.Create(t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "of-web", Annotations: map[string]string{corev1.ServiceAccountNameKey: "web"}},
		Type:       corev1.SecretTypeServiceAccountToken,
	})
	if err != nil {
		t.Fatal(err)
	}
	token, err := b.ForSecret(account, secret)
	if err != nil {
		t.Fatal(err)
	}
	is := func(want string) {
		t.Helper()
		u, found, err := b.Authenticate(token)
		if !found || want == "" && (err != nil || u.Name != "system:serviceaccount:default:web") || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("got %v, %v, %v", u, found, err)
		}
	}
	change := func(mutate func(*corev1.Secret)) {
		t.Helper()
		if _, err := b.secrets.Update(t.Context(), "default", "of-web", func(s *corev1.Secret) error { mutate(s); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	is(`secret "of-web" holds another token`)
	change(func(s *corev1.Secret) { s.Data = map[string][]byte{"token": []byte(token)} })
	is("")
	b.clock = b.clock.Add(10 * 365 * 24 * time.Hour)
	is("")
	change(func(s *corev1.Secret) { s.Labels = map[string]string{invalidSince: "2026-01-01"} })
	is("has been marked invalid")
	change(func(s *corev1.Secret) { s.Labels = nil })
	remove(t, b.secrets, "of-web")
	is(`secret "of-web" has been deleted`)
}

func FuzzIssued(f *testing.F) {
	f.Add("a.b.c")
	f.Add("eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2t1YmVybmV0ZXMuZGVmYXVsdC5zdmMuY2x1c3Rlci5sb2NhbCJ9.")
	key, err := OpenKeys(filepath.Join(f.TempDir(), "sa.key"))
	if err != nil {
		f.Fatal(err)
	}
	tokens := &Tokens{keys: key, now: time.Now}
	f.Fuzz(func(t *testing.T, secret string) {
		if _, _, err := tokens.Verify(secret, Audiences); err == nil {
			t.Errorf("%q is signed with a key that signed nothing", secret)
		}
		Issued(secret)
	})
}
