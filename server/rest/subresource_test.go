package rest

import (
	"testing"

	"leme/server/kind"
)

// What a kind declares as a connection is served as one, and nothing else.
func TestEveryConnectionIsDeclaredAndServed(t *testing.T) {
	declared := 0
	for _, k := range kind.All().List() {
		for _, s := range k.AllSubresources() {
			served := findConnect(k.GroupResource(), s.Name) != nil
			if s.Options != nil && !served {
				t.Errorf("%s/%s is not served", k.Resource, s.Name)
			}
			if served {
				declared++
			}
		}
	}
	if declared != len(connections()) {
		t.Errorf("%d of %d connections are declared", declared, len(connections()))
	}
}
