package kind

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

func TestPodTemplate(t *testing.T) {
	base := func() *corev1.PodTemplate {
		return &corev1.PodTemplate{
			ObjectMeta: metav1.ObjectMeta{Name: "t", Generation: 1},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "web"}},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "web:1"}}},
			},
		}
	}
	checkChanges(t, PodTemplate, base, []change[*corev1.PodTemplate]{
		{"no containers", func(p *corev1.PodTemplate) { p.Template.Spec.Containers = nil }, []string{"template.spec.containers" + isRequired}},
		{"image", func(p *corev1.PodTemplate) { p.Template.Spec.Containers[0].Image = "" }, []string{"template.spec.containers[0].image" + isRequired}},
	})
	if cells := PodTemplate.Row(base()); cells[1] != "web" || cells[2] != "web:1" || cells[3] != "app=web" {
		t.Errorf("got %q", cells)
	}
	old, updated := base(), base()
	if PodTemplate.PrepareUpdate(updated, old); updated.Generation != 1 {
		t.Error("nothing changed, but the generation did")
	}
	updated.Template.Spec.Containers[0].Image = "web:2"
	if PodTemplate.PrepareUpdate(updated, old); updated.Generation != 2 {
		t.Error("a change did not raise the generation")
	}
}

func TestControllerRevision(t *testing.T) {
	type revision = *appsv1.ControllerRevision
	base := func() revision {
		return &appsv1.ControllerRevision{Revision: 3, Data: runtime.RawExtension{Raw: []byte(`{"a":1}`)}}
	}
	checkChanges(t, ControllerRevision, base, []change[revision]{
		{"no data", func(r revision) { r.Data = runtime.RawExtension{} }, []string{"data" + isRequired}},
		{"negative", func(r revision) { r.Revision = -1 }, []string{"revision" + isInvalid}},
	})
	checkUpdates(t, ControllerRevision, base, []change[revision]{
		{"revision", func(r revision) { r.Revision = 4 }, nil},
		{"the same data", func(r revision) { r.Data.Raw = []byte(`{ "a": 1 }`) }, nil},
		{"other data", func(r revision) { r.Data.Raw = []byte(`{"a":2}`) }, []string{"data" + isInvalid}},
	})
	owned := base()
	owned.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "StatefulSet", Name: "web", Controller: pointsTo(true)}}
	for r, want := range map[revision]string{base(): none, owned: "statefulset.apps/web"} {
		if cells := ControllerRevision.Row(r); cells[1] != want || cells[2] != int64(3) {
			t.Errorf("got %v, want %s", cells, want)
		}
	}
}

func TestValidateRuntimeClass(t *testing.T) {
	type class = *nodev1.RuntimeClass
	base := func() class {
		return &nodev1.RuntimeClass{
			Handler:  "runsc",
			Overhead: &nodev1.Overhead{PodFixed: amounts("250m", "120Mi")},
			Scheduling: &nodev1.Scheduling{
				NodeSelector: map[string]string{"runtime": "gvisor"},
				Tolerations:  []corev1.Toleration{{Key: "gvisor", Operator: corev1.TolerationOpExists}},
			},
		}
	}
	checkChanges(t, RuntimeClass, base, []change[class]{
		{"handler", func(rc class) { rc.Handler = "Run_sc" }, []string{"handler" + isInvalid}},
		{"no handler", func(rc class) { rc.Handler = "" }, []string{"handler" + isInvalid}},
		{"overhead", func(rc class) { rc.Overhead.PodFixed = amounts("-1", "") }, []string{"overhead.limits[cpu]" + isInvalid}},
		{"selector", func(rc class) { rc.Scheduling.NodeSelector["a b"] = "" }, []string{"scheduling.nodeSelector" + isInvalid}},
		{"toleration twice", func(rc class) {
			rc.Scheduling.Tolerations = append(rc.Scheduling.Tolerations, rc.Scheduling.Tolerations[0])
		},
			[]string{"scheduling.tolerations[1]" + isDuplicate}},
	})
	checkUpdates(t, RuntimeClass, base, []change[class]{
		{"overhead", func(rc class) { rc.Overhead = nil }, nil},
		{"handler", func(rc class) { rc.Handler = "kata" }, []string{"handler" + isInvalid}},
	})
}
