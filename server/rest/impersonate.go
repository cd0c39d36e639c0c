package rest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"leme/server/auth"
)

const (
	groupUnauthenticated  = "system:unauthenticated"
	userAnonymous         = "system:anonymous"
	serviceAccountPrefix  = "system:serviceaccount:" // before NAMESPACE:NAME
	groupServiceAccounts  = "system:serviceaccounts" // all of them; those of a namespace have :NAMESPACE behind it
	impersonationVerb     = "impersonate"
	impersonationAPIGroup = "authentication.k8s.io" // of what is neither a user nor a group
)

// impersonate lets those who may act as another user do so (kubectl --as): from here on the request is the other's.
func (h *Handler) impersonate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := of(r)
		as, asked, err := impersonated(r.Header)
		if err != nil {
			c.fail(err)
			return
		}
		if asked {
			for _, a := range impersonations(as) {
				if allowed, reason := h.authz.Authorize(c.user, a); !allowed {
					c.fail(forbidden(c.user, a, reason))
					return
				}
			}
			c.user = withImpliedGroups(as)
			c.audit.impersonated(c.user)
		}
		for name := range r.Header { // whatever a request is passed on to acts for nobody else
			if strings.HasPrefix(name, "Impersonate-") {
				r.Header.Del(name)
			}
		}
		next.ServeHTTP(w, r)
	})
}

// impersonated reads who a request wants to act as.
func impersonated(header http.Header) (as auth.User, asked bool, err error) {
	as = auth.User{
		Name:   header.Get(authenticationv1.ImpersonateUserHeader),
		UID:    header.Get(authenticationv1.ImpersonateUIDHeader),
		Groups: header.Values(authenticationv1.ImpersonateGroupHeader),
	}
	for name, values := range header {
		key, extra := strings.CutPrefix(name, authenticationv1.ImpersonateUserExtraHeaderPrefix)
		if !extra {
			continue
		}
		if as.Extra == nil {
			as.Extra = map[string][]string{}
		}
		key = extraKey(key)
		as.Extra[key] = append(as.Extra[key], values...)
	}
	if as.Name == "" && (as.UID != "" || len(as.Groups)+len(as.Extra) > 0) {
		return as, true, apierrors.NewBadRequest("a group, UID or extra field cannot be impersonated without a user")
	}
	return as, as.Name != "", nil
}

// extraKey is the name of an extra field in a header's: there it is in any case, and escaped as in an address.
func extraKey(header string) string {
	key := strings.ToLower(header)
	if plain, err := url.PathUnescape(key); err == nil {
		return plain
	}
	return key
}

// impersonations are what a user must be allowed in order to act as another.
func impersonations(as auth.User) []auth.Attributes {
	user := auth.Attributes{Verb: impersonationVerb, Resource: "users", Name: as.Name}
	if namespace, name, ok := serviceAccount(as.Name); ok {
		user.Resource, user.Namespace, user.Name = "serviceaccounts", namespace, name
	}
	all := []auth.Attributes{user}
	for _, group := range as.Groups {
		all = append(all, auth.Attributes{Verb: impersonationVerb, Resource: "groups", Name: group})
	}
	if as.UID != "" {
		all = append(all, auth.Attributes{Verb: impersonationVerb, Group: impersonationAPIGroup, Resource: "uids", Name: as.UID})
	}
	for key, values := range as.Extra {
		for _, value := range values {
			all = append(all, auth.Attributes{
				Verb: impersonationVerb, Group: impersonationAPIGroup, Resource: "userextras", Subresource: key, Name: value,
			})
		}
	}
	return all
}

// withImpliedGroups adds the groups that authentication would have given the user.
func withImpliedGroups(u auth.User) auth.User {
	if namespace, _, ok := serviceAccount(u.Name); ok && len(u.Groups) == 0 {
		u.Groups = []string{groupServiceAccounts, groupServiceAccounts + ":" + namespace}
	}
	implied := auth.GroupAuthenticated
	if u.Name == userAnonymous {
		implied = groupUnauthenticated
	}
	if !slices.Contains(u.Groups, implied) && !slices.Contains(u.Groups, groupUnauthenticated) {
		u.Groups = append(slices.Clip(u.Groups), implied)
	}
	return u
}

func serviceAccount(user string) (namespace, name string, ok bool) {
	rest, ok := strings.CutPrefix(user, serviceAccountPrefix)
	if !ok {
		return "", "", false
	}
	namespace, name, ok = strings.Cut(rest, ":")
	return namespace, name, ok && namespace != "" && name != "" && !strings.Contains(name, ":")
}
