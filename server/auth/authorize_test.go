package auth

import "testing"

// stubborn refuses everything, and says why.
type stubborn string

func (s stubborn) Authorize(User, Attributes) (bool, string) { return false, string(s) }

func TestAnyAllowsWhatOneDoes(t *testing.T) {
	ask := Attributes{Verb: "get", Resource: "pods"}
	all := Any{stubborn("one"), stubborn(""), Superusers, stubborn("two")}
	if allowed, reason := all.Authorize(User{Name: "jane"}, ask); allowed || reason != "one\ntwo" {
		t.Errorf("got %v, %q", allowed, reason)
	}
	for _, group := range []string{GroupMasters, GroupServers} {
		if allowed, reason := all.Authorize(User{Name: "x", Groups: []string{"y", group}}, ask); !allowed || reason != "" {
			t.Errorf("%s: got %v, %q", group, allowed, reason)
		}
	}
}

func TestRefusal(t *testing.T) {
	jane := User{Name: "jane"}
	for want, a := range map[string]Attributes{
		`User "jane" cannot get path "/metrics": no`:                                                                {Verb: "get", Path: "/metrics"},
		`User "jane" cannot get resource "nodes" in API group "" at the cluster scope: no`:                          {Verb: "get", Resource: "nodes"},
		`User "jane" cannot update resource "replicasets/scale" in API group "apps" in the namespace "default": no`: {Verb: "update", Group: "apps", Resource: "replicasets", Subresource: "scale", Namespace: "default"},
	} {
		if got := Refusal(jane, a, "no").Error(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
