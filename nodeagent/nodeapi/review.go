package nodeapi

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/cache"
	"k8s.io/client-go/kubernetes"
)

// Reviews asks the cluster whose a token is and what somebody may do, and remembers that for as long as the kubelet does.
// It is safe for concurrent use.
type Reviews struct {
	client  kubernetes.Interface
	tokens  *cache.LRUExpireCache // of tokenAnswer, by the token's digest
	answers *cache.LRUExpireCache // of bool, by the question's
}

// How long answers are believed, and how many.
const (
	tokenAge     = 2 * time.Minute
	noTokenAge   = 10 * time.Second
	allowedAge   = 5 * time.Minute
	forbiddenAge = 30 * time.Second
	maxReviews   = 4096
	reviewTime   = 10 * time.Second // to answer
)

// NewReviews asks by a client that may create TokenReviews and SubjectAccessReviews, as a node's may.
func NewReviews(client kubernetes.Interface) *Reviews {
	return &Reviews{client: client, tokens: cache.NewLRUExpireCache(maxReviews), answers: cache.NewLRUExpireCache(maxReviews)}
}

type tokenAnswer struct {
	user  authenticationv1.UserInfo
	known bool
}

// digest names a question without keeping what it holds.
type digest [sha256.Size]byte

// authenticate says whose a token is; known is false when it is nobody's.
func (r *Reviews) authenticate(ctx context.Context, token string) (user authenticationv1.UserInfo, known bool, err error) {
	key := digest(sha256.Sum256([]byte(token)))
	if found, ok := r.tokens.Get(key); ok {
		a := found.(tokenAnswer)
		return a.user, a.known, nil
	}
	ctx, cancel := context.WithTimeout(ctx, reviewTime)
	defer cancel()
	review, err := r.client.AuthenticationV1().TokenReviews().Create(ctx,
		&authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token}}, metav1.CreateOptions{})
	if err != nil {
		return user, false, fmt.Errorf("asking whose a token is: %w", err)
	}
	a, age := tokenAnswer{review.Status.User, review.Status.Authenticated}, noTokenAge
	if a.known {
		age = tokenAge
	}
	r.tokens.Add(key, a, age)
	return a.user, a.known, nil
}

// allowed says whether somebody may do something with the node.
func (r *Reviews) allowed(ctx context.Context, user authenticationv1.UserInfo, what authorizationv1.ResourceAttributes) (bool, error) {
	spec := authorizationv1.SubjectAccessReviewSpec{
		User: user.Username, UID: user.UID, Groups: user.Groups, ResourceAttributes: &what, Extra: map[string]authorizationv1.ExtraValue{},
	}
	for name, values := range user.Extra {
		spec.Extra[name] = authorizationv1.ExtraValue(values)
	}
	text, err := json.Marshal(spec)
	if err != nil {
		return false, err
	}
	key := digest(sha256.Sum256(text))
	if found, ok := r.answers.Get(key); ok {
		return found.(bool), nil
	}
	ctx, cancel := context.WithTimeout(ctx, reviewTime)
	defer cancel()
	review, err := r.client.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorizationv1.SubjectAccessReview{Spec: spec}, metav1.CreateOptions{})
	if err != nil {
		return false, fmt.Errorf("asking what %q may do: %w", user.Username, err)
	}
	age := forbiddenAge
	if review.Status.Allowed {
		age = allowedAge
	}
	r.answers.Add(key, review.Status.Allowed, age)
	return review.Status.Allowed, nil
}
