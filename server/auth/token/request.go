package token

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"leme/server/auth"
	"leme/server/auth/node"
	"leme/server/kind"
)

const (
	defaultSeconds = 60 * 60
	minSeconds     = 10 * 60
	maxSeconds     = 1 << 32
	// injectedSeconds is what admission asks for in volumes that nobody asked for. Programs that read such a token once,
	// and not again after an hour, are let go on for a year, which changes nothing for those that do.
	injectedSeconds = 60*60 + 7
	extended        = 365 * 24 * time.Hour
)

// Request answers a TokenRequest for a service account: it fills in what was left out, and the status.
func (t *Tokens) Request(ctx context.Context, namespace, name string, r *authenticationv1.TokenRequest) error {
	if r.Name != "" && r.Name != name || r.Namespace != "" && r.Namespace != namespace {
		return apierrors.NewBadRequest("the service account of the TokenRequest does not match the one in the path")
	}
	r.Name, r.Namespace = name, namespace
	account, ok := t.accounts.Get(namespace, name)
	if !ok {
		return apierrors.NewNotFound(kind.ServiceAccount.GroupResource(), name)
	}
	if r.Spec.ExpirationSeconds == nil {
		r.Spec.ExpirationSeconds = new(int64)
		*r.Spec.ExpirationSeconds = defaultSeconds
	}
	if len(r.Spec.Audiences) == 0 {
		r.Spec.Audiences = Audiences
	}
	if errs := validate(&r.Spec); len(errs) > 0 {
		return apierrors.NewInvalid(authenticationv1.SchemeGroupVersion.WithKind("TokenRequest").GroupKind(), "", errs)
	}
	c := claims{Kubernetes: private{Namespace: namespace, ServiceAccount: ref{name, string(account.UID)}}}
	if err := t.bind(&c, r.Spec.BoundObjectRef); err != nil {
		return err
	}
	if err := mayRequest(ctx, &c); err != nil {
		return apierrors.NewForbidden(kind.ServiceAccount.GroupResource(), name, err)
	}
	return t.sign(&c, r)
}

func validate(s *authenticationv1.TokenRequestSpec) field.ErrorList {
	path, seconds := field.NewPath("spec", "expirationSeconds"), *s.ExpirationSeconds
	switch {
	case seconds < minSeconds:
		return field.ErrorList{field.Invalid(path, seconds, "may not specify a duration less than 10 minutes")}
	case seconds > maxSeconds:
		return field.ErrorList{field.Invalid(path, seconds, "may not specify a duration larger than 2^32 seconds")}
	}
	return nil
}

// bind puts what a token shall live as long as into its claims.
func (t *Tokens) bind(c *claims, to *authenticationv1.BoundObjectReference) error {
	if to == nil {
		return nil
	}
	k := &c.Kubernetes
	var uid types.UID
	switch gvk := schema.FromAPIVersionAndKind(to.APIVersion, to.Kind); gvk {
	case kind.Pod.GroupVersionKind:
		pod, ok := t.pods.Get(k.Namespace, to.Name)
		if !ok {
			return apierrors.NewNotFound(kind.Pod.GroupResource(), to.Name)
		}
		if pod.Spec.ServiceAccountName != k.ServiceAccount.Name {
			return apierrors.NewBadRequest(fmt.Sprintf("cannot bind token for serviceaccount %q to pod running with different serviceaccount name.", k.ServiceAccount.Name))
		}
		uid = pod.UID
		k.Pod, k.Node = &ref{to.Name, string(uid)}, t.nodeOf(pod)
	case kind.Secret.GroupVersionKind:
		secret, ok := t.secrets.Get(k.Namespace, to.Name)
		if !ok {
			return apierrors.NewNotFound(kind.Secret.GroupResource(), to.Name)
		}
		uid = secret.UID
		k.Secret = &ref{to.Name, string(uid)}
	case kind.Node.GroupVersionKind:
		n, ok := t.nodes.Get("", to.Name)
		if !ok {
			return apierrors.NewNotFound(kind.Node.GroupResource(), to.Name)
		}
		uid = n.UID
		k.Node = &ref{to.Name, string(uid)}
	default:
		return apierrors.NewBadRequest(fmt.Sprintf("cannot bind token to object of type %s", gvk))
	}
	if to.UID != "" && to.UID != uid {
		return apierrors.NewConflict(schema.GroupResource{Resource: to.Kind}, to.Name, fmt.Errorf(
			"the UID in the bound object reference (%s) does not match the UID in record. The object might have been deleted and then recreated", to.UID))
	}
	return nil
}

// nodeOf tells of a pod's node. It is there for information: only a token that is bound to the node itself ends with it.
func (t *Tokens) nodeOf(pod *corev1.Pod) *ref {
	if pod.Spec.NodeName == "" {
		return nil
	}
	r := &ref{Name: pod.Spec.NodeName}
	if n, ok := t.nodes.Get("", r.Name); ok {
		r.UID = string(n.UID)
	}
	return r
}

// mayRequest keeps agents to tokens for pods that run on their node.
func mayRequest(ctx context.Context, c *claims) error {
	r, _ := auth.RequestOf(ctx)
	name, agent := node.NameOf(r.User)
	switch {
	case !agent:
		return nil
	case c.Kubernetes.Pod == nil:
		return errors.New("node requested token not bound to a pod")
	case c.Kubernetes.Node == nil || c.Kubernetes.Node.Name != name:
		return errors.New("node requested token bound to a pod scheduled on a different node")
	}
	return nil
}

func (t *Tokens) sign(c *claims, r *authenticationv1.TokenRequest) error {
	now := t.now()
	told := now.Add(time.Duration(*r.Spec.ExpirationSeconds) * time.Second)
	expires := told
	if c.Kubernetes.Pod != nil && *r.Spec.ExpirationSeconds == injectedSeconds && slices.Equal(r.Spec.Audiences, Audiences) {
		c.Kubernetes.WarnAfter, expires = jwt.NewNumericDate(told), now.Add(extended)
	}
	c.RegisteredClaims = jwt.RegisteredClaims{
		Issuer: Issuer, Audience: r.Spec.Audiences, ID: string(uuid.NewUUID()),
		Subject:  auth.ServiceAccountUser(c.Kubernetes.Namespace, c.Kubernetes.ServiceAccount.Name),
		IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(expires),
	}
	signed, err := t.signed(c)
	if err != nil {
		return err
	}
	r.CreationTimestamp = metav1.NewTime(now).Rfc3339Copy()
	r.Status = authenticationv1.TokenRequestStatus{Token: signed, ExpirationTimestamp: metav1.NewTime(told).Rfc3339Copy()}
	return nil
}

// signed is a token that says something.
func (t *Tokens) signed(c jwt.Claims) (string, error) {
	key := t.keys.signer()
	token := jwt.NewWithClaims(jwt.SigningMethodES256, c)
	token.Header["kid"] = key.id
	signed, err := token.SignedString(key.private)
	if err != nil {
		return "", fmt.Errorf("signing a token: %w", err)
	}
	return signed, nil
}
