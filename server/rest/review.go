package rest

import (
	"errors"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"leme/server/auth"
)

// reviewSelf answers `kubectl auth whoami`.
func reviewSelf(_ *Handler, c *call, obj runtime.Object) error {
	review := obj.(*authenticationv1.SelfSubjectReview)
	review.Status.UserInfo = authenticationv1.UserInfo{Username: c.user.Name, UID: c.user.UID, Groups: c.user.Groups, Extra: extraValues(c.user.Extra)}
	return nil
}

func extraValues(extra map[string][]string) map[string]authenticationv1.ExtraValue {
	if len(extra) == 0 {
		return nil
	}
	values := make(map[string]authenticationv1.ExtraValue, len(extra))
	for key, value := range extra {
		values[key] = value
	}
	return values
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
	user := auth.User{Name: spec.User, UID: spec.UID, Groups: spec.Groups, Extra: map[string][]string{}}
	for key, values := range spec.Extra {
		user.Extra[key] = values
	}
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
		if r.FieldSelector != nil {
			a.FieldSelector = r.FieldSelector.RawSelector
		}
	} else {
		a = auth.Attributes{Verb: n.Verb, Path: n.Path}
	}
	status.Allowed, status.Reason = h.authz.Authorize(u, a)
	return nil
}

// reviewSelfRules answers `kubectl auth can-i --list`.
func reviewSelfRules(h *Handler, c *call, obj runtime.Object) error {
	review := obj.(*authorizationv1.SelfSubjectRulesReview)
	if review.Spec.Namespace == "" {
		return errors.New("no namespace on request")
	}
	status := &review.Status
	status.ResourceRules = []authorizationv1.ResourceRule{}
	status.NonResourceRules = []authorizationv1.NonResourceRule{}
	lister, ok := h.authz.(auth.RuleLister)
	if !ok {
		status.Incomplete = true
		return nil
	}
	rules, err := lister.Rules(c.user, review.Spec.Namespace)
	if err != nil {
		status.Incomplete, status.EvaluationError = true, err.Error()
	}
	for _, r := range rules {
		if len(r.Resources) > 0 {
			status.ResourceRules = append(status.ResourceRules, authorizationv1.ResourceRule{
				Verbs: r.Verbs, APIGroups: r.APIGroups, Resources: r.Resources, ResourceNames: r.ResourceNames,
			})
		}
		if len(r.NonResourceURLs) > 0 {
			status.NonResourceRules = append(status.NonResourceRules, authorizationv1.NonResourceRule{
				Verbs: r.Verbs, NonResourceURLs: r.NonResourceURLs,
			})
		}
	}
	return nil
}
