package auth

import "fmt"

// Refusal says, in Kubernetes' words, that a user may not do something.
func Refusal(u User, a Attributes, reason string) error {
	if reason != "" {
		reason = ": " + reason
	}
	if a.Path != "" {
		return fmt.Errorf("User %q cannot %s path %q%s", u.Name, a.Verb, a.Path, reason)
	}
	what := a.Resource
	if a.Subresource != "" {
		what += "/" + a.Subresource
	}
	where := "at the cluster scope"
	if a.Namespace != "" {
		where = fmt.Sprintf("in the namespace %q", a.Namespace)
	}
	return fmt.Errorf("User %q cannot %s resource %q in API group %q %s%s", u.Name, a.Verb, what, a.Group, where, reason)
}
