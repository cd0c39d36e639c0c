package rest

import (
	"errors"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"leme/server/auth"
)

// reviewSelf answers `kubectl auth whoami`.
func reviewSelf(_ *Handler, c *call, obj runtime.Object) error {
	review := obj.(*authenticationv1.SelfSubjectReview)
	review.Status.UserInfo = authenticationv1.UserInfo{Username: c.user.Name, UID: c.user.UID, Groups: c.user.Groups}
	return nil
}

// reviewSelfAccess answers `kubectl auth can-i`.
func reviewSelfAccess(h *Handler, c *call, obj runtime.Object) error {
	review := obj.(*authorizationv1.SelfSubjectAccessReview)
	return h.review(c.user, review.Spec.ResourceAttributes, review.Spec.NonResourceAttributes, &review.Status)
}

// reviewAccess answers what somebody else may do.
func reviewAccess(h *Handler, _ *call, obj runtime.Object) error {
	review := obj.(*authorizationv1.SubjectAccessReview)
	return h.reviewSubject(review.Spec, &review.Status)
}

// reviewLocalAccess answers what somebody else may do in the path's namespace.
func reviewLocalAccess(h *Handler, c *call, obj runtime.Object) error {
	review := obj.(*authorizationv1.LocalSubjectAccessReview)
	if r := review.Spec.ResourceAttributes; r == nil || r.Namespace != c.info.Namespace {
		return errors.New("spec.resourceAttributes.namespace must match metadata.namespace")
	}
	return h.reviewSubject(review.Spec, &review.Status)
}

func (h *Handler) reviewSubject(spec authorizationv1.SubjectAccessReviewSpec, status *authorizationv1.SubjectAccessReviewStatus) error {
	if spec.User == "" && len(spec.Groups) == 0 {
		return errors.New("at least one of spec.user and spec.groups must be specified")
	}
	user := auth.User{Name: spec.User, UID: spec.UID, Groups: spec.Groups}
	return h.review(user, spec.ResourceAttributes, spec.NonResourceAttributes, status)
}

func (h *Handler) review(u auth.User, r *authorizationv1.ResourceAttributes, n *authorizationv1.NonResourceAttributes, status *authorizationv1.SubjectAccessReviewStatus) error {
	if (r == nil) == (n == nil) {
		return errors.New("exactly one of spec.resourceAttributes and spec.nonResourceAttributes must be specified")
	}
	var a auth.Attributes
	if r != nil {
		a = auth.Attributes{
			Verb: r.Verb, Group: r.Group, Resource: r.Resource, Subresource: r.Subresource, Namespace: r.Namespace, Name: r.Name,
		}
	} else {
		a = auth.Attributes{Verb: n.Verb, Path: n.Path}
	}
	status.Allowed, status.Reason = h.authz.Authorize(u, a)
	return nil
}

// granter is an authorizer that can say all that a user may do.
type granter interface {
	Allowed(u auth.User, namespace string) []auth.Grant
}

// reviewSelfRules answers `kubectl auth can-i --list`.
func reviewSelfRules(h *Handler, c *call, obj runtime.Object) error {
	review := obj.(*authorizationv1.SelfSubjectRulesReview)
	review.Status.ResourceRules = []authorizationv1.ResourceRule{}
	review.Status.NonResourceRules = []authorizationv1.NonResourceRule{}
	g, ok := h.authz.(granter)
	if !ok {
		review.Status.Incomplete = true
		return nil
	}
	for _, grant := range g.Allowed(c.user, review.Spec.Namespace) {
		for _, name := range grant.Resources {
			group, resource, found := strings.Cut(name, "/")
			if !found {
				resource = group // "*": of every group
			}
			review.Status.ResourceRules = append(review.Status.ResourceRules, authorizationv1.ResourceRule{
				Verbs: grant.Verbs, APIGroups: []string{group}, Resources: []string{resource},
			})
		}
		if len(grant.Paths) > 0 {
			review.Status.NonResourceRules = append(review.Status.NonResourceRules, authorizationv1.NonResourceRule{
				Verbs: grant.Verbs, NonResourceURLs: grant.Paths,
			})
		}
	}
	return nil
}
