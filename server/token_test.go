package server

import (
	"encoding/json"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

func TestServiceAccountsTokens(t *testing.T) {
	_, kubeconfig := start(t)
	ctx := t.Context()
	config := clientConfig(t, kubeconfig)
	admin := kubernetes.NewForConfigOrDie(config)
	accounts := admin.CoreV1().ServiceAccounts("default")
	if _, err := accounts.Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "web"}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	made, err := accounts.CreateToken(ctx, "web", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	own := rest.AnonymousClientConfig(config)
	own.BearerToken, own.QPS = made.Status.Token, -1
	web := kubernetes.NewForConfigOrDie(own)

	who, err := web.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil || who.Status.UserInfo.Username != "system:serviceaccount:default:web" {
		t.Fatalf("got %v, %v", who, err)
	}
	list := func() error {
		_, err := web.CoreV1().Pods("default").List(ctx, metav1.ListOptions{})
		return err
	}
	refused(t, list(), `User "system:serviceaccount:default:web" cannot list resource "pods"`)
	b := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "web"}, RoleRef: rbacv1.RoleRef{Kind: "ClusterRole", Name: "view"},
		Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Name: "web"}},
	}
	if _, err := admin.RbacV1().RoleBindings("default").Create(ctx, b, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the account views", func() bool { return list() == nil })

	review := func(token string, audiences ...string) authenticationv1.TokenReviewStatus {
		r := &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token, Audiences: audiences}}
		r, err := admin.AuthenticationV1().TokenReviews().Create(ctx, r, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return r.Status
	}
	if got := review(made.Status.Token); !got.Authenticated || got.User.Username != "system:serviceaccount:default:web" || len(got.User.Groups) != 3 {
		t.Errorf("got %v", got)
	}
	for _, got := range []authenticationv1.TokenReviewStatus{review(made.Status.Token, "vault"), review("guess"), review("a.b.c")} {
		if got.Authenticated || got.Error == "" {
			t.Errorf("got %v", got)
		}
	}

	var configuration struct {
		KeySet string `json:"jwks_uri"`
	}
	raw, err := web.Discovery().RESTClient().Get().AbsPath("/.well-known/openid-configuration").DoRaw(ctx)
	if err != nil || json.Unmarshal(raw, &configuration) != nil || configuration.KeySet != config.Host+"/openid/v1/jwks" {
		t.Errorf("got %s, %v", raw, err)
	}
	if raw, err := web.Discovery().RESTClient().Get().AbsPath("/openid/v1/jwks").DoRaw(ctx); err != nil || len(raw) < 100 {
		t.Errorf("got %s, %v", raw, err)
	}

	if err := accounts.Delete(ctx, "web", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := list(); !apierrors.IsUnauthorized(err) {
		t.Errorf("without its account the token gives %v", err)
	}
}
