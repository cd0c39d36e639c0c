package object

import (
	"context"
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

// TestTokensAndTheClock: tokens are asked for anew when the clock is set such that they are good no more, or not yet.
func TestTokensAndTheClock(t *testing.T) {
	for _, c := range []struct {
		name string
		set  time.Duration
		want string
	}{
		{"not at all", 0, "token 1"},
		{"a little back", -30 * time.Second, "token 1"},
		{"back by hours", -3 * time.Hour, "token 2"},
		{"forwards by hours", 3 * time.Hour, "token 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, made, set := fake.NewClientset(), 0, time.Duration(0)
				clock := func() time.Time { return time.Now().Add(set) }
				client.PrependReactor("create", "serviceaccounts", func(a clienttesting.Action) (bool, runtime.Object, error) {
					made++
					r := a.(clienttesting.CreateAction).GetObject().(*authenticationv1.TokenRequest)
					r.Status.Token = fmt.Sprint("token ", made)
					r.Status.ExpirationTimestamp = metav1.NewTime(clock().Add(time.Hour))
					return true, r, nil
				})
				told := make(chan types.UID, 10)
				cache := New(client, func(uid types.UID) { told <- uid })
				cache.tokens.now = clock
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error)
				go func() { ended <- cache.Run(ctx) }()
				v := cache.For("uid")
				pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "p", UID: "uid"}}
				get := func() string {
					got, err := v.Token(t.Context(), pod, &corev1.ServiceAccountTokenProjection{ExpirationSeconds: ptr.To(int64(3600))})
					if err != nil {
						t.Error(err)
					}
					return got
				}
				get()
				set = c.set
				<-time.After(clockEvery + time.Second)
				if want := c.want != "token 1"; len(told) > 0 != want {
					t.Errorf("the pod was told: %t", !want)
				}
				if got := get(); got != c.want {
					t.Errorf("got %s, want %s", got, c.want)
				}
				if len(cache.tokens.overdue()) > 0 {
					t.Error("the new token is due as well")
				}
				v.cache.Release("uid")
				cancel()
				if err := <-ended; err != nil {
					t.Error(err)
				}
			})
		})
	}
}
