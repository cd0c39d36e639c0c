package object

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/ptr"
)

func TestTokensAreRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, made, away := fake.NewClientset(), 0, false
		client.PrependReactor("create", "serviceaccounts", func(a clienttesting.Action) (bool, runtime.Object, error) {
			if away {
				return true, nil, errors.New("the server is away")
			}
			made++
			r := a.(clienttesting.CreateAction).GetObject().(*authenticationv1.TokenRequest)
			if r.Spec.BoundObjectRef.UID != "uid" || len(r.Spec.Audiences) != 1 {
				t.Errorf("asked for %v", r.Spec)
			}
			r.Status.Token = fmt.Sprint("token ", made)
			r.Status.ExpirationTimestamp = metav1.NewTime(time.Now().Add(time.Duration(*r.Spec.ExpirationSeconds) * time.Second))
			return true, r, nil
		})
		due := make(chan types.UID, 1)
		v := New(client, func(uid types.UID) { due <- uid }).For("uid")
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "p", UID: "uid"}, Spec: corev1.PodSpec{ServiceAccountName: "web"}}
		source := &corev1.ServiceAccountTokenProjection{Audience: "vault", ExpirationSeconds: ptr.To(int64(1000))}
		expect := func(want string) {
			t.Helper()
			if got, err := v.Token(t.Context(), pod, source); err != nil || got != want {
				t.Errorf("got %q, %v; want %q", got, err, want)
			}
		}
		start := time.Now()
		expect("token 1")
		expect("token 1")
		if <-due; time.Since(start) != 800*time.Second {
			t.Errorf("due after %s", time.Since(start))
		}
		expect("token 2")
		away = true
		<-due
		expect("token 2") // it is good for another while
		<-due
		away = false
		expect("token 3")
		away = true
		<-time.After(1000 * time.Second)
		if got, err := v.Token(t.Context(), pod, source); err == nil {
			t.Errorf("an expired token: %q", got)
		}
		v.cache.Release("uid")
		if len(v.cache.tokens.held) > 0 {
			t.Error("tokens are left")
		}
	})
}
