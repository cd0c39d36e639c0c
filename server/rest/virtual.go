package rest

import (
	"net/http"
	"slices"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// virtual is a resource that is answered and not stored: it can only be created.
type virtual struct {
	schema.GroupVersionKind
	resource, singular string
	namespaced         bool
	make               func() runtime.Object
	answer             func(h *Handler, c *call, obj runtime.Object) error
}

var (
	authentication = authenticationv1.SchemeGroupVersion
	authorization  = authorizationv1.SchemeGroupVersion
)

// virtuals lists them, in discovery's order.
func virtuals() []virtual {
	return []virtual{
		{authentication.WithKind("SelfSubjectReview"), "selfsubjectreviews", "selfsubjectreview", false,
			func() runtime.Object { return &authenticationv1.SelfSubjectReview{} }, reviewSelf},
		{authentication.WithKind("TokenReview"), "tokenreviews", "tokenreview", false,
			func() runtime.Object { return &authenticationv1.TokenReview{} }, reviewToken},
		{authorization.WithKind("LocalSubjectAccessReview"), "localsubjectaccessreviews", "localsubjectaccessreview", true,
			func() runtime.Object { return &authorizationv1.LocalSubjectAccessReview{} }, reviewLocalAccess},
		{authorization.WithKind("SelfSubjectAccessReview"), "selfsubjectaccessreviews", "selfsubjectaccessreview", false,
			func() runtime.Object { return &authorizationv1.SelfSubjectAccessReview{} }, reviewSelfAccess},
		{authorization.WithKind("SelfSubjectRulesReview"), "selfsubjectrulesreviews", "selfsubjectrulesreview", false,
			func() runtime.Object { return &authorizationv1.SelfSubjectRulesReview{} }, reviewSelfRules},
		{authorization.WithKind("SubjectAccessReview"), "subjectaccessreviews", "subjectaccessreview", false,
			func() runtime.Object { return &authorizationv1.SubjectAccessReview{} }, reviewAccess},
	}
}

func findVirtual(gvr schema.GroupVersionResource) *virtual {
	all := virtuals()
	i := slices.IndexFunc(all, func(v virtual) bool {
		return v.resource == gvr.Resource && v.Group == gvr.Group && v.Version == gvr.Version
	})
	if i < 0 {
		return nil
	}
	return &all[i]
}

func (h *Handler) serveVirtual(c *call, v *virtual) error {
	if err := c.negotiate(); err != nil {
		return err
	}
	switch {
	case c.info.Name != "" || v.namespaced != (c.info.Namespace != ""):
		return notFound(c)
	case c.info.Verb != "create":
		return notAllowed(c)
	}
	obj := v.make()
	if err := c.decode(obj, v.GroupVersionKind); err != nil {
		return err
	}
	if err := v.answer(h, c, obj); err != nil {
		return apierrors.NewBadRequest(err.Error())
	}
	c.answer(http.StatusCreated, obj, v.GroupVersionKind)
	return nil
}
