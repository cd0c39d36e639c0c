package rest

import (
	"net/http"
	"slices"

	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"leme/server/auth"
	"leme/server/auth/token"
)

var tokenRequest = authentication.WithKind("TokenRequest")

// createToken answers a TokenRequest for the service account in the path.
func createToken(h *Handler, c *call) error {
	if err := c.negotiate(); err != nil {
		return err
	}
	if _, err := c.createOptions(); err != nil {
		return err
	}
	request := &authenticationv1.TokenRequest{}
	if err := c.decode(request, tokenRequest); err != nil {
		return err
	}
	if err := h.tokens.Request(c.context(), c.info.Namespace, c.info.Name, request); err != nil {
		return err
	}
	c.answer(http.StatusCreated, request, tokenRequest)
	return nil
}

// reviewToken says whose a token is. What is wrong with it is no failure of the request.
func reviewToken(h *Handler, c *call, obj runtime.Object) error {
	review := obj.(*authenticationv1.TokenReview)
	audiences := review.Spec.Audiences
	if len(audiences) == 0 {
		audiences = token.Audiences
	}
	user, audiences, err := h.userOf(c, review.Spec.Token, audiences)
	if err != nil {
		review.Status = authenticationv1.TokenReviewStatus{Error: err.Error()}
		return nil
	}
	review.Status = authenticationv1.TokenReviewStatus{
		Authenticated: true, Audiences: audiences,
		User: authenticationv1.UserInfo{Username: user.Name, UID: user.UID, Groups: user.Groups, Extra: extraValues(user.Extra)},
	}
	return nil
}

// userOf finds a token's user, and for which of some audiences it is. A token that is no service account's is for the
// API.
func (h *Handler) userOf(c *call, secret string, audiences []string) (auth.User, []string, error) {
	if token.Issued(secret) {
		user, audiences, err := h.tokens.Verify(secret, audiences)
		user.Groups = append(slices.Clip(user.Groups), auth.GroupAuthenticated)
		return user, audiences, err
	}
	audiences = slices.DeleteFunc(slices.Clone(audiences), func(a string) bool { return !slices.Contains(token.Audiences, a) })
	r := &http.Request{Header: http.Header{"Authorization": {"Bearer " + secret}}}
	user, ok, err := h.authn.Authenticate(r.WithContext(c.r.Context()))
	if err == nil && (!ok || len(audiences) == 0) {
		err = auth.ErrBadCredentials
	}
	return user, audiences, err
}

func (h *Handler) serveKeySet(w http.ResponseWriter, r *http.Request) {
	h.serveOpenID(w, r, "application/jwk-set+json", h.tokens.KeySet)
}

func (h *Handler) serveOpenIDConfiguration(w http.ResponseWriter, r *http.Request) {
	h.serveOpenID(w, r, "application/json", func() ([]byte, error) { return h.tokens.Configuration("https://" + r.Host) })
}

func (h *Handler) serveOpenID(w http.ResponseWriter, r *http.Request, contentType string, document func() ([]byte, error)) {
	raw, err := document()
	if err != nil {
		of(r).fail(err)
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "public, max-age=3600")
	_, _ = w.Write(raw)
}
