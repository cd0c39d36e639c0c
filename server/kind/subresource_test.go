package kind

import (
	"slices"
	"testing"
)

func TestSubresources(t *testing.T) {
	for _, k := range All().List() {
		all := k.AllSubresources()
		for i, s := range all {
			what := k.Resource + "/" + s.Name
			if i > 0 && all[i-1].Name >= s.Name {
				t.Errorf("%s does not follow %s", what, all[i-1].Name)
			}
			if s.Kind == "" || len(s.Verbs) == 0 || !slices.IsSorted(s.Verbs) {
				t.Errorf("%s: kind %q, verbs %v", what, s.Kind, s.Verbs)
			}
			sorts := 0
			for _, is := range []bool{s.Prepare != nil, s.New != nil, s.Options != nil} {
				if is {
					sorts++
				}
			}
			if sorts != 1 {
				t.Errorf("%s is of %d sorts", what, sorts)
			}
		}
	}
	if s, ok := Pod.Subresource("status"); !ok || s.GroupVersionKind != Pod.GroupVersionKind {
		t.Error("a pod's status is not the pod's own part")
	}
	if _, ok := ConfigMap.Subresource("status"); ok {
		t.Error("a ConfigMap has a status")
	}
}
