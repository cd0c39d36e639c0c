package token

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/auth"
)

// What a service account's user is told to be beyond its name.
const (
	extraID       = "authentication.kubernetes.io/credential-id"
	extraPod      = "authentication.kubernetes.io/pod-name"
	extraPodUID   = "authentication.kubernetes.io/pod-uid"
	extraNode     = "authentication.kubernetes.io/node-name"
	extraNodeUID  = "authentication.kubernetes.io/node-uid"
	groupAccounts = "system:serviceaccounts"
)

// leeway is how long a token outlives an object that is being deleted, so that it can still be cleaned up with.
const leeway = time.Minute

// maxToken is how long a token may be, in bytes.
const maxToken = 16 << 10

// Issued says, without checking anything, whether a token claims to be one of these.
func Issued(secret string) bool {
	if len(secret) > maxToken || strings.Count(secret, ".") != 2 {
		return false
	}
	issuer := issuerOf(secret)
	return issuer == Issuer || issuer == legacyIssuer
}

// issuerOf is who a token says has signed it.
func issuerOf(secret string) string {
	var c jwt.RegisteredClaims
	if _, _, err := jwt.NewParser().ParseUnverified(secret, &c); err != nil {
		return ""
	}
	return c.Issuer
}

// Verify finds the service account that a token is for. The token must be for one of the audiences; an error says what
// is wrong with it.
func (t *Tokens) Verify(secret string, audiences []string) (auth.User, []string, error) {
	if len(secret) > maxToken {
		return auth.User{}, nil, errors.New("the token is too long")
	}
	if issuerOf(secret) == legacyIssuer {
		return t.verifySecret(secret, audiences)
	}
	var c claims
	parser := jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodES256.Alg()}), jwt.WithIssuer(Issuer),
		jwt.WithExpirationRequired(), jwt.WithTimeFunc(t.now))
	if _, err := parser.ParseWithClaims(secret, &c, t.publicKey); err != nil {
		return auth.User{}, nil, err
	}
	shared := slices.DeleteFunc(slices.Clone(audiences), func(a string) bool { return !slices.Contains(c.Audience, a) })
	if len(shared) == 0 {
		return auth.User{}, nil, fmt.Errorf("token audiences %q is invalid for the target audiences %q", c.Audience, audiences)
	}
	u, err := t.user(&c)
	return u, shared, err
}

func (t *Tokens) publicKey(token *jwt.Token) (any, error) { return t.keys.public(token.Header["kid"]) }

// user checks that all that a token stands for is there still.
func (t *Tokens) user(c *claims) (auth.User, error) {
	k := &c.Kubernetes
	u := auth.User{
		Name: auth.ServiceAccountUser(k.Namespace, k.ServiceAccount.Name), UID: k.ServiceAccount.UID,
		Groups: []string{groupAccounts, groupAccounts + ":" + k.Namespace},
		Extra:  map[string][]string{extraID: {"JTI=" + c.ID}},
	}
	if c.Subject != u.Name {
		return auth.User{}, errors.New("the token's subject is not its service account")
	}
	account, ok := t.accounts.Get(k.Namespace, k.ServiceAccount.Name)
	if err := t.there("service account", k.ServiceAccount, account, ok); err != nil {
		return auth.User{}, err
	}
	if k.Secret != nil {
		secret, ok := t.secrets.Get(k.Namespace, k.Secret.Name)
		if err := t.there("secret", *k.Secret, secret, ok); err != nil {
			return auth.User{}, err
		}
	}
	if k.Pod != nil {
		pod, ok := t.pods.Get(k.Namespace, k.Pod.Name)
		if err := t.there("pod", *k.Pod, pod, ok); err != nil {
			return auth.User{}, err
		}
		u.Extra[extraPod], u.Extra[extraPodUID] = []string{k.Pod.Name}, []string{k.Pod.UID}
	}
	if k.Node != nil {
		if k.Pod == nil {
			n, ok := t.nodes.Get("", k.Node.Name)
			if err := t.there("node", *k.Node, n, ok); err != nil {
				return auth.User{}, err
			}
		}
		u.Extra[extraNode] = []string{k.Node.Name}
		if k.Node.UID != "" {
			u.Extra[extraNodeUID] = []string{k.Node.UID}
		}
	}
	return u, nil
}

func (t *Tokens) there(what string, wanted ref, obj metav1.Object, ok bool) error {
	switch {
	case !ok:
		return fmt.Errorf("%s %q has been deleted", what, wanted.Name)
	case string(obj.GetUID()) != wanted.UID:
		return fmt.Errorf("%s UID (%s) does not match claim (%s)", what, obj.GetUID(), wanted.UID)
	}
	if d := obj.GetDeletionTimestamp(); d != nil && d.Add(leeway).Before(t.now()) {
		return fmt.Errorf("%s %q has been deleted", what, wanted.Name)
	}
	return nil
}

// Authenticate is an auth.Verifier: it takes the tokens of these accounts that are for the API, and leaves all others.
func (t *Tokens) Authenticate(secret string) (u auth.User, found bool, err error) {
	if !Issued(secret) {
		return auth.User{}, false, nil
	}
	u, _, err = t.Verify(secret, Audiences)
	if err != nil {
		return auth.User{}, true, fmt.Errorf("%w: %w", auth.ErrBadCredentials, err)
	}
	return u, true, nil
}
