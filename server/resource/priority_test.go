package resource_test

import (
	"context"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/kind"
	"leme/server/resource"
)

func priorityClasses(name string) resource.Target { return target(kind.PriorityClass, "", name) }

func newPriorityClass(name string, value int32) *schedulingv1.PriorityClass {
	return &schedulingv1.PriorityClass{ObjectMeta: metav1.ObjectMeta{Name: name}, Value: value}
}

// refused checks that an error is a 403 that says something.
func refused(t testing.TB, err error, says string) {
	t.Helper()
	reason(t, err, metav1.StatusReasonForbidden)
	if !strings.Contains(err.Error(), says) {
		t.Errorf("got %q, want %q in it", err, says)
	}
}

func TestPriorityOfPods(t *testing.T) {
	a, ctx := newAPI(t), context.Background()
	polite := newPriorityClass("polite", 5)
	polite.PreemptionPolicy = new(corev1.PreemptNever)
	create(t, a, priorityClasses(""), polite)

	pod := newPod("named")
	pod.Spec.PriorityClassName = "polite"
	pod = object[*corev1.Pod](t, create(t, a, pods(""), pod))
	if *pod.Spec.Priority != 5 || *pod.Spec.PreemptionPolicy != corev1.PreemptNever {
		t.Errorf("got priority %d, %s", *pod.Spec.Priority, *pod.Spec.PreemptionPolicy)
	}
	pod = newPod("headstrong")
	pod.Spec.PriorityClassName, pod.Spec.PreemptionPolicy = "polite", new(corev1.PreemptLowerPriority)
	_, err := a.Create(ctx, pods(""), pod, metav1.CreateOptions{})
	refused(t, err, "the string value of PreemptionPolicy (PreemptLowerPriority) must not be provided in pod spec; priority admission controller computed Never")

	usual := newPriorityClass("usual", 7)
	usual.GlobalDefault = true
	create(t, a, priorityClasses(""), usual)
	pod = object[*corev1.Pod](t, create(t, a, pods(""), newPod("unnamed")))
	if *pod.Spec.Priority != 7 || pod.Spec.PriorityClassName != "usual" {
		t.Errorf("got priority %d of class %q", *pod.Spec.Priority, pod.Spec.PriorityClassName)
	}
}

func TestOnePriorityIsTheDefault(t *testing.T) {
	a, ctx := newAPI(t), context.Background()
	first := newPriorityClass("first", 1)
	first.GlobalDefault = true
	it := create(t, a, priorityClasses(""), first)
	second := newPriorityClass("second", 2)
	create(t, a, priorityClasses(""), second.DeepCopy())

	second.GlobalDefault = true
	const says = `PriorityClass first is already marked as default. Only one default can exist`
	_, _, err := a.Update(ctx, priorityClasses("second"), second, metav1.UpdateOptions{})
	refused(t, err, says)
	second.Name = "third"
	_, err = a.Create(ctx, priorityClasses(""), second, metav1.CreateOptions{})
	refused(t, err, says)

	described := object[*schedulingv1.PriorityClass](t, it).DeepCopy()
	described.Description = "the first"
	update(t, a, priorityClasses("first"), described)
}

func TestSystemPrioritiesStay(t *testing.T) {
	a, ctx := newAPI(t), context.Background()
	for _, class := range kind.SystemPriorityClasses() {
		create(t, a, priorityClasses(""), class)
		_, _, err := a.Delete(ctx, priorityClasses(class.Name), metav1.DeleteOptions{})
		refused(t, err, "this is a system priority class and cannot be deleted")
	}
}
